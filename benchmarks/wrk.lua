-- the driver's request maker, with the proof of identity that Quire asks for where it writes
dofile(os.getenv("B_DRIVER"))
local token = os.getenv("B_TOKEN")
if token and os.getenv("B_BODY") then wrk.headers["Authorization"] = "Bearer " .. token end
