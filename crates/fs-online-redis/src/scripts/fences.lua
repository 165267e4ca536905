-- What the scripts that look at fences begin with.

-- Whether fence `a` is greater than `b`, both in decimal digits. Not by `tonumber`: a double has no room for
-- all of them.
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

