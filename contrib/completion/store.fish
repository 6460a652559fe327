# fish completion for store, as `store completion fish` prints it.
function __store_complete
	set -l words (commandline -opc)
	set -l current (commandline -ct | string collect)
	set -l plain (string unescape -- $current | string collect)
	test -n "$plain"; or set plain $current
	command store complete --shell=fish -- $words[2..-1] "$plain" 2>/dev/null | string split0
end
complete -c store -f -a '(__store_complete)'
