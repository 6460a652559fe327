# bash completion for store, as `store completion bash` prints it.
# The line is taken apart by store itself, which also quotes what it answers.
_store()
{
	local answer
	COMPREPLY=()
	while IFS= read -r -d '' answer; do
		COMPREPLY+=("$answer")
	done < <(command store complete --shell=bash -- "$COMP_LINE" "$COMP_POINT" "$COMP_WORDBREAKS" 2>/dev/null)
	if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[/:=] ]]; then
		compopt -o nospace 2>/dev/null
	fi
	return 0
}
complete -F _store store
