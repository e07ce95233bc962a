-- wrk: the requests of a file, one a line, in order. Arguments: the file, and
-- "once" where none may be sent twice.
local requests, at, is_once = {}, 0, false

function init(args)
	for line in io.lines(args[1]) do
		local method, path, body = line:match("^(%S+) (%S+) ?(.*)$")
		requests[#requests + 1] =
		    wrk.format(method, path, nil, body ~= "" and body or nil)
	end
	is_once = args[2] == "once"
end

function request()
	if at == #requests then
		assert(not is_once, "the requests are used up")
		at = 0
	end
	at = at + 1
	return requests[at]
end
