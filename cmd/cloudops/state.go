package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
)

func newState() *cobra.Command {
	cmd := &cobra.Command{Use: "state", Short: "Look at Terraform states and their locks, and mend them"}
	unlock := withReason(remote("unlock STACK COMPONENT", "Break the lock on a component's state", exactly(2, "cloudops state unlock payments terraform.web --reason 'worker is gone'"),
		func(cmd *cobra.Command, c *client.Client, args []string) error {
			return c.BreakLock(cmd.Context(), args[0], args[1], option(cmd, "reason"))
		}))
	restore := withReason(remote("restore VERSION", "Make a state version the newest once more", exactly(1, "cloudops state restore sv-... --reason 'the last apply was a mistake'"),
		func(cmd *cobra.Command, c *client.Client, args []string) error {
			v, err := c.RestoreState(cmd.Context(), args[0], option(cmd, "reason"))
			return showState(cmd, v, err)
		}))
	recover := withReason(remote("recover STACK COMPONENT", "Make a state that a run could not write the newest", exactly(2, "cloudops state recover payments terraform.web --reason 'the API was away'"), recoverState))
	recover.Flags().Bool("dry-run", false, "only say what would be recovered")
	move := withReason(remote("mv STACK COMPONENT FROM TO", "Give a resource, an instance or a module another address, also in another component",
		exactly(4, "cloudops state mv payments terraform.web aws_instance.this[0] terraform.db:aws_instance.main --reason 'the database has a component of its own'"),
		func(cmd *cobra.Command, c *client.Client, args []string) error {
			return editState(cmd, c, args[0], args[1], args[2], args[3])
		}))
	remove := withReason(remote("rm STACK COMPONENT ADDRESS", "Forget a resource, an instance or a module, which itself stays",
		exactly(3, "cloudops state rm payments terraform.web aws_instance.this[0] --reason 'another team has it now'"),
		func(cmd *cobra.Command, c *client.Client, args []string) error {
			return editState(cmd, c, args[0], args[1], args[2], "")
		}))
	move.Flags().Bool("dry-run", false, "only say what would be moved")
	remove.Flags().Bool("dry-run", false, "only say what would be forgotten")
	cmd.AddCommand(
		move, remove,
		remote("list STACK", "List the newest state of each component", exactly(1, "cloudops state list payments"), listStates),
		remote("versions STACK COMPONENT", "List the versions of a component's state", exactly(2, "cloudops state versions payments terraform.web"), listStateVersions),
		remote("pull VERSION", "Print a state version, secrets included", exactly(1, "cloudops state pull sv-..."), pullState),
		remote("locks STACK", "List the locks on a stack's states", exactly(1, "cloudops state locks payments"), listLocks),
		unlock, restore, recover,
	)
	return cmd
}

// withReason adds the flag of what is not done without one.
func withReason(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().String("reason", "", "why; kept in the audit log")
	return required(cmd, "reason")
}

func recoverState(cmd *cobra.Command, c *client.Client, args []string) error {
	dryRun, err := cmd.Flags().GetBool("dry-run")
	if err != nil {
		return err
	}
	v, err := c.RecoverState(cmd.Context(), args[0], args[1], option(cmd, "reason"), dryRun)
	return showState(cmd, v, err)
}

func editState(cmd *cobra.Command, c *client.Client, stack, component, from, to string) error {
	dryRun, err := cmd.Flags().GetBool("dry-run")
	if err != nil {
		return err
	}
	done, err := c.EditState(cmd.Context(), stack, component, client.EditState{From: from, To: to, Reason: option(cmd, "reason")}, dryRun)
	if err != nil {
		return err
	}
	return show(cmd, done, func(w io.Writer) error {
		for _, address := range done.Resources {
			fmt.Fprintln(w, address)
		}
		for _, v := range done.Versions {
			fmt.Fprintf(w, "serial %d of %s\n", v.Serial, v.Component)
		}
		return nil
	})
}

func showState(cmd *cobra.Command, v client.StateVersion, err error) error {
	if err != nil {
		return err
	}
	return show(cmd, v, stateTable([]client.StateVersion{v}))
}

func listStates(cmd *cobra.Command, c *client.Client, args []string) error {
	states, err := c.States(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	return show(cmd, states, stateTable(states))
}

func listStateVersions(cmd *cobra.Command, c *client.Client, args []string) error {
	versions, err := client.All(cmd.Context(), func(ctx context.Context, p client.Page) (client.List[client.StateVersion], error) {
		return c.StateVersions(ctx, args[0], args[1], p)
	})
	if err != nil {
		return err
	}
	return show(cmd, versions, stateTable(versions))
}

func stateTable(states []client.StateVersion) func(io.Writer) error {
	var rows [][]string
	for _, v := range states {
		rows = append(rows, []string{v.ID, v.Component, strconv.FormatInt(v.Serial, 10), strconv.Itoa(v.Resources), v.By, v.Run, since(v.CreatedAt)})
	}
	return table("VERSION COMPONENT SERIAL RESOURCES BY RUN AGE", rows)
}

func pullState(cmd *cobra.Command, c *client.Client, args []string) error {
	b, err := c.DownloadState(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	_, err = cmd.OutOrStdout().Write(b)
	return err
}

func listLocks(cmd *cobra.Command, c *client.Client, args []string) error {
	locks, err := c.Locks(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	var rows [][]string
	for _, l := range locks {
		rows = append(rows, []string{l.Component, l.Holder, l.Reason, since(l.CreatedAt)})
	}
	return show(cmd, locks, table("COMPONENT HOLDER REASON AGE", rows))
}
