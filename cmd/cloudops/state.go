package main

import (
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
	cmd.AddCommand(
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
	page, err := c.StateVersions(cmd.Context(), args[0], args[1], client.Page{Limit: 100})
	if err != nil {
		return err
	}
	return show(cmd, page.Items, stateTable(page.Items))
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
