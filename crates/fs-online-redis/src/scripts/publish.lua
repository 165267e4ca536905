-- Records how far a view has come, if that is still what it was.
--
--   KEYS[1]  what is known about the view: a hash
--   ARGV     the fence of who asks, or ''; what `published` was, or ''; what it is to be
--   answer   {1} if it is so now, {0} if it is something else, {-1, a greater fence} if refused

local shown, before, after = ARGV[1], ARGV[2], ARGV[3]

local found = redis.call('HMGET', KEYS[1], 'published', 'fence')
local published, seen = found[1] or '', found[2]
if shown ~= '' and seen and is_greater(seen, shown) then
  return {-1, seen}
end
if published == after then
  return {1}
end
if published ~= before then
  return {0}
end
redis.call('HSET', KEYS[1], 'published', after)
return {1}
