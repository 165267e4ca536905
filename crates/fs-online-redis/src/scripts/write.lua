-- Applies writes to one bucket.
--
--   KEYS[1]  the bucket: a hash from entity key to packed row
--   ARGV     for every write: key, row or '', order of the row that it replaces or ''
--   answer   {stored, kept, deleted}, or {-1, the beginning of a stored row that is damaged}
--
-- A packed row has its format (1) in its first byte and its order in bytes 6 to 29, counted from 1.

-- Byte by byte: `<` on strings would go by the locale of the server.
local function is_newer(row, stored)
  for at = 6, 29 do
    local new, old = string.byte(row, at), string.byte(stored, at)
    if new ~= old then
      return new > old
    end
  end
  return false
end

local bucket = KEYS[1]
local written, kept, deleted = 0, 0, 0

for at = 1, #ARGV, 3 do
  local key, row, replaces = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local stored = redis.call('HGET', bucket, key)
  if stored and (#stored < 29 or string.byte(stored, 1) ~= 1) then
    return {-1, string.sub(stored, 1, 29)}
  end
  local is_replaced = stored and replaces ~= '' and string.sub(stored, 6, 29) == replaces
  if row == '' then
    if is_replaced then
      redis.call('HDEL', bucket, key)
      deleted = deleted + 1
    else
      kept = kept + 1
    end
  elseif is_replaced or not stored or is_newer(row, stored) then
    redis.call('HSET', bucket, key, row)
    written = written + 1
  else
    kept = kept + 1
  end
end

return {written, kept, deleted}
