-- Applies writes to one bucket, and forgets a few rows that need not be kept any more.
--
--   KEYS[1]  the bucket: a hash from entity key to stored row
--   KEYS[2]  the hash with the fence of the bucket, for a writer that shows one
--   ARGV     the fence of the writer, or ''; then for every write: key, stored row or '', order of the
--            row that it replaces or ''
--   answer   {stored, kept, deleted}, or {-1, the beginning of a stored row that is damaged}, or
--            {-2, the fence that is greater than the one shown}
--
-- A stored row begins with the minute from which it may be forgotten (u32, little-endian; 0: never).
-- The packed row follows; it has its format (1) in its first byte and its order in bytes 6 to 29,
-- counted from 1: bytes 5 and 10 to 33 here.

local bucket = KEYS[1]

-- Decimal digits. Not by `tonumber`: a double has no room for all of them.
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

-- Byte by byte: `<` on strings would go by the locale of the server.
local function is_newer(row, stored)
  for at = 10, 33 do
    local new, old = string.byte(row, at), string.byte(stored, at)
    if new ~= old then
      return new > old
    end
  end
  return false
end

-- 0 for a row that is cut off: it is not this script that finds out.
local function keep_until(stored)
  if #stored < 4 then
    return 0
  end
  return (struct.unpack('<I4', stored))
end

-- Looks at a few rows at random, and goes on while many of them are past their time.
local function forget(rows)
  local now = math.floor(tonumber(redis.call('TIME')[1]) / 60)
  local sample = math.min(4 * rows, 20)
  for _ = 1, 16 do
    local found = redis.call('HRANDFIELD', bucket, -sample, 'WITHVALUES')
    local past = 0
    for at = 1, #found, 2 do
      local time = keep_until(found[at + 1])
      if time ~= 0 and time <= now then
        past = past + redis.call('HDEL', bucket, found[at])
      end
    end
    if 4 * past < sample then
      return
    end
  end
end

if ARGV[1] ~= '' then
  local seen = redis.call('HGET', KEYS[2], 'fence')
  if seen and is_greater(seen, ARGV[1]) then
    return {-2, seen}
  end
end

local was_there = redis.call('EXISTS', bucket) == 1
local written, kept, deleted = 0, 0, 0
-- The greatest minute of the rows that were stored, and whether one of them has none.
local latest, forever = 0, false

for at = 2, #ARGV, 3 do
  local key, row, replaces = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local stored = redis.call('HGET', bucket, key)
  if stored and (#stored < 33 or string.byte(stored, 5) ~= 1) then
    return {-1, string.sub(stored, 5, 33)}
  end
  local is_replaced = stored and replaces ~= '' and string.sub(stored, 10, 33) == replaces
  if row == '' then
    if is_replaced then
      redis.call('HDEL', bucket, key)
      deleted = deleted + 1
      if redis.call('EXISTS', bucket) == 0 then
        was_there, latest, forever = false, 0, false
      end
    else
      kept = kept + 1
    end
  elseif is_replaced or not stored or is_newer(row, stored) then
    redis.call('HSET', bucket, key, row)
    written = written + 1
    local time = keep_until(row)
    if time == 0 then
      forever = true
    elseif time > latest then
      latest = time
    end
  else
    kept = kept + 1
  end
end

-- The bucket lasts as long as its last row: so a view that nobody writes any more goes by itself.
local left = redis.call('PTTL', bucket)
if forever then
  if left >= 0 then
    redis.call('PERSIST', bucket)
  end
elseif latest > 0 then
  local time = redis.call('TIME')
  local wanted = latest * 60000
  local ends = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + left
  if not was_there or (left >= 0 and ends < wanted) then
    redis.call('PEXPIREAT', bucket, string.format('%.0f', wanted))
  end
  forget(written)
end

return {written, kept, deleted}
