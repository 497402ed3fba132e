-- Of a hundred requests one writes, nine list runs and the others read a stack.
-- Every second write has the Idempotency-Key of an earlier one, which has been
-- answered by now, for wrk has ten connections.
local sent, writes, round = 0, 0, os.time()
local again = 21

local function write()
  writes = writes + 1
  local key = writes
  if writes % 2 == 0 and writes > again then key = writes - again end
  local headers = {
    ["Authorization"] = wrk.headers["Authorization"],
    ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = round .. "-" .. key,
  }
  return wrk.format("PUT", "/v1/credentials/bench", headers, '{"cloud":"aws","values":{"AWS_ACCESS_KEY_ID":"bench"}}')
end

request = function()
  sent = sent + 1
  if sent % 100 == 0 then return write() end
  if sent % 10 == 0 then return wrk.format("GET", "/v1/runs?limit=20") end
  return wrk.format("GET", "/v1/stacks/shop")
end
