package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
)

func newStackHold() *cobra.Command {
	return newHoldChange("hold", "Put a stack under a legal hold: nothing of it is removed", "is under a legal hold", (*client.Client).HoldStack)
}

func newStackRelease() *cobra.Command {
	return newHoldChange("release", "End a stack's legal hold", "is under no legal hold any more", (*client.Client).ReleaseStack)
}

func newHoldChange(name, short, done string, change func(c *client.Client, ctx context.Context, stack, reason string) error) *cobra.Command {
	return withReason(remote(name+" STACK", short, exactly(1, "cloudops stack "+name+" payments --reason 'case 4711'"),
		func(cmd *cobra.Command, c *client.Client, args []string) error {
			if err := change(c, cmd.Context(), args[0], option(cmd, "reason")); err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "stack %s %s\n", args[0], done)
			return nil
		}))
}
