-- Remembers a fence, if it is not smaller than the one that is remembered.
--
--   KEYS[1]  the hash that has it in its field `fence`
--   ARGV[1]  the fence, in decimal digits
--   answer   the fence that is remembered now

local shown = ARGV[1]
local seen = redis.call('HGET', KEYS[1], 'fence')

if seen and not is_greater(shown, seen) then
  return seen
end
redis.call('HSET', KEYS[1], 'fence', shown)
return shown
