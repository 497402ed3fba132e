package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
)

func newRoles() *cobra.Command {
	cmd := &cobra.Command{Use: "role", Short: "Make roles of permissions"}
	create := described(remote("create ROLE", "Make a role of permissions, or change what it holds", exactly(1, "cloudops role create planner --permissions read,plan"), putRole))
	create.Flags().StringSlice("permissions", nil, "what it holds, such as read,plan; cloudops role list shows them all")
	cmd.AddCommand(create,
		remote("list", "List roles with what they hold", noArgs, listRoles),
		remote("delete ROLE", "Delete a role that nobody has", exactly(1, "cloudops role delete planner"),
			func(cmd *cobra.Command, c *client.Client, args []string) error {
				return c.DeleteRole(cmd.Context(), args[0])
			}))
	return cmd
}

func putRole(cmd *cobra.Command, c *client.Client, args []string) error {
	permissions, err := cmd.Flags().GetStringSlice("permissions")
	if err != nil {
		return err
	}
	return c.PutRole(cmd.Context(), args[0], client.PutRole{Description: option(cmd, "description"), Permissions: permissions})
}

func listRoles(cmd *cobra.Command, c *client.Client, _ []string) error {
	all, err := c.Roles(cmd.Context())
	if err != nil {
		return err
	}
	var rows [][]string
	for _, r := range all {
		rows = append(rows, []string{r.Name, strings.Join(r.Permissions, " ")})
	}
	return show(cmd, all, table("ROLE PERMISSIONS", rows))
}
