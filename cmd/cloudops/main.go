// Command cloudops is CloudOps Manager: the server in all its roles, the
// runner of a step, and the command line client, in one binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // schedules know time zones on machines that do not

	"github.com/spf13/cobra"
)

// version is set when a release is built.
var version = "dev"

// The exit codes: done, failed, misused. `run start --detailed-exitcode` and
// `drift` also end with exitChanges.
const (
	exitFailed  = 1
	exitMisuse  = 2
	exitChanges = 2
)

func main() { os.Exit(run()) }

// run is main with an exit code, so that tests can be the program.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // asked a second time the program ends at once
	cmd := commands(os.Args)
	cmd.SetOut(tamed(os.Stdout))
	called, err := cmd.ExecuteContextC(ctx)
	return report(called, err)
}

// exitError ends the program with a code and, where there is one, a message.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// misuse is an error of how a command was typed; the message says what to
// type instead.
func misuse(format string, args ...any) error {
	return &exitError{code: exitMisuse, err: fmt.Errorf(format, args...)}
}

// report prints what went wrong, in one form for all commands, and gives the
// exit code.
func report(cmd *cobra.Command, err error) int {
	if err == nil {
		return 0
	}
	code := exitFailed
	var exit *exitError
	if errors.As(err, &exit) {
		code = exit.code
		if exit.err == nil {
			return code
		}
	}
	fmt.Fprintf(tamed(cmd.ErrOrStderr()), "%s: %s\n", cmd.CommandPath(), describe(cmd, err))
	return code
}

// commands are those of the program, or of a runner the only one: to make the
// others takes a millisecond, which a runner spends twice a run.
func commands(args []string) *cobra.Command {
	if len(args) < 2 || args[1] != "step" {
		return newRoot()
	}
	root := newTop()
	root.AddCommand(newStep())
	return root
}

// newTop is the command above all others.
func newTop() *cobra.Command {
	root := &cobra.Command{
		Use:   "cloudops",
		Short: "Provision, configure and watch infrastructure from declarative stacks",
		Long: `CloudOps Manager turns stacks written in HCL into Terraform and Ansible runs:
planned, approved by people, applied, and checked for drift.

Every flag can also be given as an environment variable, CLOUDOPS_ and its name
in capitals, or as the name of a file that holds the value, with _FILE behind.
CLOUDOPS_TOKEN, or a file named by CLOUDOPS_TOKEN_FILE, stands in for a sign-in.`,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := fromEnvironment(cmd); err != nil {
				return err
			}
			return checkOutput(cmd)
		},
	}
	root.SetVersionTemplate("cloudops {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return misuse("%w; see: %s --help", err, cmd.CommandPath())
	})
	addClientFlags(root)
	return root
}

func newRoot() *cobra.Command {
	root := newTop()
	root.AddCommand(
		newServe(), newRole("api", "Run the API and the web pages only", roles{api: true}),
		newRole("worker", "Run workers only", roles{worker: true}),
		newRole("scheduler", "Run schedules and the sweep only", roles{scheduler: true}),
		newStep(), newLogin(), newLogout(), newSession(), newStack(), newRun(), newScale(), newHost(), newDrift(), newState(), newVariable(), newVariableSet(), newCredential(), newIssuer(), newToken(), newUser(), newTeam(), newProject(), newRoles(), newAccess(), newWhoami(), newSchedule(), newKeys(), newAudit(), newPolicy(),
		newWebhook(), newHook(), newBackup(), newRestore(), newVersion(),
	)
	refuseUnknown(root)
	addCompletion(root)
	return root
}

// refuseUnknown makes commands that only group others refuse a word that is
// none of them, instead of printing their help as if all were well.
func refuseUnknown(cmd *cobra.Command) {
	for _, below := range cmd.Commands() {
		refuseUnknown(below)
	}
	if !cmd.HasSubCommands() {
		return
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		text := fmt.Sprintf("there is no command %q", args[0])
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			text += "; did you mean " + strings.Join(near, " or ") + "?"
		}
		return misuse("%s; see: %s --help", text, cmd.CommandPath())
	}
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return show(cmd, map[string]string{"version": version}, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "cloudops %s\n", version)
				return err
			})
		},
	}
}

// required marks a flag without which the command is not run.
func required(cmd *cobra.Command, flag string) *cobra.Command {
	if err := cmd.MarkFlagRequired(flag); err != nil {
		panic(err) // the command does not define it
	}
	return cmd
}

// noArgs refuses arguments in the form that all commands use.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return misuse("%q is one argument too many; see: %s --help", args[0], cmd.CommandPath())
	}
	return nil
}

// atLeast wants n arguments or more; the example says what a right call looks like.
func atLeast(n int, example string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < n {
			return misuse("the number of arguments is %d or more, not %d, as in: %s", n, len(args), example)
		}
		return nil
	}
}

// exactly wants n arguments; the example says what a right call looks like.
func exactly(n int, example string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return misuse("the number of arguments is %d, not %d, as in: %s", n, len(args), example)
		}
		return nil
	}
}
