/*
 * store completion: print the script that lets a shell complete.  The scripts are thin: they hand
 * the words to `store complete` and its answers to the shell.  Answers end with NUL, so a name may
 * hold whatever it likes, and none is ever evaluated.  `make install` writes these same texts.
 */
#include "cli/cli.h"
#include "cli/output.h"
#include <string.h>

static const char bash[] =
	"# bash completion for store, as `store completion bash` prints it.\n"
	"# The line is taken apart by store itself, which also quotes what it answers.\n"
	"_store()\n"
	"{\n"
	"\tlocal answer\n"
	"\tCOMPREPLY=()\n"
	"\twhile IFS= read -r -d '' answer; do\n"
	"\t\tCOMPREPLY+=(\"$answer\")\n"
	"\tdone < <(command store complete --shell=bash -- \"$COMP_LINE\" \"$COMP_POINT\" \"$COMP_WORDBREAKS\" 2>/dev/null)\n"
	"\tif [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[/:=] ]]; then\n"
	"\t\tcompopt -o nospace 2>/dev/null\n"
	"\tfi\n"
	"\treturn 0\n"
	"}\n"
	"complete -F _store store\n";

static const char zsh[] =
	"#compdef store\n"
	"# zsh completion for store, as `store completion zsh` prints it.\n"
	"_store()\n"
	"{\n"
	"\tlocal answer word help tab=$'\\t'\n"
	"\tlocal -a closed open closed_shown open_shown\n"
	"\twhile IFS= read -r -u 0 -d $'\\0' answer; do\n"
	"\t\tword=${answer%$tab*} help=${answer##*$tab}\n"
	"\t\tif [[ $word == *[/:=] ]]; then\n"
	"\t\t\topen+=(\"$word\")\n"
	"\t\t\topen_shown+=(\"${(V)word}${help:+  -- $help}\")\n"
	"\t\telse\n"
	"\t\t\tclosed+=(\"$word\")\n"
	"\t\t\tclosed_shown+=(\"${(V)word}${help:+  -- $help}\")\n"
	"\t\tfi\n"
	"\tdone < <(command store complete --shell=zsh -- \"${(@Q)words[2,CURRENT-1]}\" \"${(Q)PREFIX}\" 2>/dev/null)\n"
	"\t(( $#open )) && compadd -S '' -l -d open_shown -a open\n"
	"\t(( $#closed )) && compadd -l -d closed_shown -a closed\n"
	"\treturn 0\n"
	"}\n"
	"if [[ ${funcstack[1]} == _store ]]; then\n"
	"\t_store \"$@\"\n"
	"else\n"
	"\tcompdef _store store\n"
	"fi\n";

static const char fish[] =
	"# fish completion for store, as `store completion fish` prints it.\n"
	"function __store_complete\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -l current (commandline -ct | string collect)\n"
	"\tset -l plain (string unescape -- $current | string collect)\n"
	"\ttest -n \"$plain\"; or set plain $current\n"
	"\tcommand store complete --shell=fish -- $words[2..-1] \"$plain\" 2>/dev/null | string split0\n"
	"end\n"
	"complete -c store -f -a '(__store_complete)'\n";

static int run(struct cli *cli, const void *data)
{
	const char *shell = cli->args.n ? cli->args.items[0] : "";

	(void)data;
	if (cli->args.n > 1)
		return output_usage(cli, "completion takes one shell, not '%s' as well",
			cli->args.items[1]);
	if (strcmp(shell, "bash") == 0)
		output_string(bash);
	else if (strcmp(shell, "zsh") == 0)
		output_string(zsh);
	else if (strcmp(shell, "fish") == 0)
		output_string(fish);
	else
		return output_usage(cli, "the shell is bash, zsh or fish, not '%s'", shell);
	return 0;
}

const struct command cmd_completion = { "completion", "bash|zsh|fish",
	"print the script by which a shell completes", 0, 0, NULL, run };
