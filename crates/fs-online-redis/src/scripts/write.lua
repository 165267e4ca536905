-- Applies writes to one bucket, and forgets a few rows that need not be kept any more.
--
--   KEYS[1]  the bucket: a hash from entity key to stored row
--   KEYS[2]  the hash with the fence of the bucket, for a writer that shows one
--   ARGV     the fence of the writer, or ''; '1' if some row has a time until which it must be kept;
--            then for every write: key, stored row or '', order of the row that it replaces or ''.
--            The writes of one key follow one another
--   answer   {stored, kept, deleted}, or {-1, the beginning of a stored row that is damaged}, or
--            {-2, the fence that is greater than the one shown}
--
-- A stored row begins with the minute from which it may be forgotten (u32, little-endian; 0: never).
-- The packed row follows; it has its format (1) in its first byte and its order in bytes 6 to 29,
-- counted from 1: bytes 5 and 10 to 33 here.
--
-- Whatever the number of writes, rows are read by one command and written by one: a command takes a
-- script longer than a row does.

local bucket = KEYS[1]

-- As numbers of four bytes, which doubles hold: `<` on strings would go by the locale of the server.
local function is_newer(row, stored)
  local a1, a2, a3, a4, a5, a6 = struct.unpack('>I4I4I4I4I4I4', row, 10)
  local b1, b2, b3, b4, b5, b6 = struct.unpack('>I4I4I4I4I4I4', stored, 10)
  if a1 ~= b1 then return a1 > b1 end
  if a2 ~= b2 then return a2 > b2 end
  if a3 ~= b3 then return a3 > b3 end
  if a4 ~= b4 then return a4 > b4 end
  if a5 ~= b5 then return a5 > b5 end
  return a6 > b6
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

-- What is stored under each of the keys.
local keys = {}
for at = 3, #ARGV, 3 do
  local key = ARGV[at]
  if key ~= keys[#keys] then
    keys[#keys + 1] = key
  end
end
local found = redis.call('HMGET', bucket, unpack(keys))

-- What is to be stored there, and what is not to be there.
local sets, gone = {}, {}
local written, kept, deleted = 0, 0, 0
local is_empty = true
local at = 3
for number = 1, #keys do
  local key, stored = keys[number], found[number]
  if stored then
    is_empty = false
    if #stored < 33 or string.byte(stored, 5) ~= 1 then
      return {-1, string.sub(stored, 5, 33)}
    end
  end
  local now = stored
  while ARGV[at] == key do
    local row, replaces = ARGV[at + 1], ARGV[at + 2]
    local is_replaced = now and replaces ~= '' and string.sub(now, 10, 33) == replaces
    if row == '' then
      if is_replaced then
        now = false
        deleted = deleted + 1
      else
        kept = kept + 1
      end
    elseif is_replaced or not now or is_newer(row, now) then
      now = row
      written = written + 1
    else
      kept = kept + 1
    end
    at = at + 3
  end
  if now ~= stored then
    if now then
      sets[#sets + 1] = key
      sets[#sets + 1] = now
    else
      gone[#gone + 1] = key
    end
  end
end

-- The greatest minute of the rows that are stored, and whether one of them has none.
local latest, forever = 0, false
if ARGV[2] == '' then
  forever = #sets > 0
else
  for at = 2, #sets, 2 do
    local time = keep_until(sets[at])
    if time == 0 then
      forever = true
    elseif time > latest then
      latest = time
    end
  end
end

if #gone > 0 then
  redis.call('HDEL', bucket, unpack(gone))
end
local is_new = false
if #sets > 0 then
  is_new = latest > 0 and (is_empty or #gone > 0) and redis.call('EXISTS', bucket) == 0
  redis.call('HSET', bucket, unpack(sets))
end

-- The bucket lasts as long as its last row: so a view that nobody writes any more goes by itself.
if forever then
  redis.call('PERSIST', bucket)
elseif latest > 0 then
  local left = redis.call('PTTL', bucket)
  local time = redis.call('TIME')
  local wanted = latest * 60000
  local ends = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + left
  if is_new or (left >= 0 and ends < wanted) then
    redis.call('PEXPIREAT', bucket, string.format('%.0f', wanted))
  end
  forget(written)
end

return {written, kept, deleted}
