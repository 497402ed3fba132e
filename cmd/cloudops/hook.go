package main

import (
	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func newHook() *cobra.Command {
	cmd := &cobra.Command{Use: "hook", Short: "Let others start runs of a stack by a signed call"}
	create := remote("create STACK NAME", "Make a hook and print its secret, once", exactly(2, "cloudops hook create payments ci --kind apply"), createHook)
	create.Flags().String("kind", string(engine.RunPreview), "apply, preview or drift")
	cmd.AddCommand(create,
		remote("list STACK", "List the hooks of a stack", exactly(1, "cloudops hook list payments"), listHooks),
		remote("rotate ID", "Print a new secret; the old one is taken beside it for a day", exactly(1, "cloudops hook rotate hook-..."), rotateHook),
		remote("delete ID", "Delete a hook", exactly(1, "cloudops hook delete hook-..."), func(cmd *cobra.Command, c *client.Client, args []string) error {
			return c.DeleteHook(cmd.Context(), args[0])
		}))
	return cmd
}

func createHook(cmd *cobra.Command, c *client.Client, args []string) error {
	id, secret, err := c.CreateHook(cmd.Context(), args[0], client.CreateHook{Name: args[1], Kind: option(cmd, "kind")})
	if err != nil {
		return err
	}
	return showSecret(cmd, id, secret)
}

func rotateHook(cmd *cobra.Command, c *client.Client, args []string) error {
	secret, err := c.RotateHook(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	return showSecret(cmd, args[0], secret)
}

func listHooks(cmd *cobra.Command, c *client.Client, args []string) error {
	all, err := c.Hooks(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	var rows [][]string
	for _, h := range all {
		rows = append(rows, []string{h.ID, h.Name, h.Kind, h.CreatedBy, since(h.CreatedAt)})
	}
	return show(cmd, all, table("HOOK NAME KIND RIGHTS-OF AGE", rows))
}
