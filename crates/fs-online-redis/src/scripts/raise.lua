-- Remembers a fence, if it is not smaller than the one that is remembered.
--
--   KEYS[1]  the hash that has it in its field `fence`
--   ARGV[1]  the fence, in decimal digits
--   answer   the fence that is remembered now

local shown = ARGV[1]
local seen = redis.call('HGET', KEYS[1], 'fence')

-- Not by `tonumber`: a double has no room for all of them.
local function is_greater(a, b)
  if #a ~= #b then
    return #a > #b
  end
  for at = 1, #a do
    local left, right = string.byte(a, at), string.byte(b, at)
    if left ~= right then
      return left > right
    end
  end
  return false
end

if seen and not is_greater(shown, seen) then
  return seen
end
redis.call('HSET', KEYS[1], 'fence', shown)
return shown
