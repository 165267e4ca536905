-- Lists keys of one bucket with the beginnings of their rows, so that rows need not travel.
--
--   KEYS[1]  the bucket
--   ARGV     the cursor to start from, and how many keys are enough
--   answer   {cursor to go on from or '0', {key, first 29 bytes of its packed row, key, ...}}

local cursor, enough = ARGV[1], tonumber(ARGV[2])
local found = {}

repeat
  local page = redis.call('HSCAN', KEYS[1], cursor, 'COUNT', enough)
  cursor = page[1]
  for at = 1, #page[2], 2 do
    found[#found + 1] = page[2][at]
    found[#found + 1] = string.sub(page[2][at + 1], 5, 33)
  end
until cursor == '0' or #found >= 2 * enough

return {cursor, found}
