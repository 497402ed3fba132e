package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func newUser() *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "Make users and service accounts and change what they may do"}
	role := remote("role NAME ROLE...", "Give a user other roles in the whole installation; - for none", atLeast(2, "cloudops user role ada operator"), func(cmd *cobra.Command, c *client.Client, args []string) error {
		roles := givenRoles(args[1:])
		return c.UpdateUser(cmd.Context(), args[0], client.UpdateUser{Roles: &roles})
	})
	cmd.AddCommand(newUserCreate(), role, newUserPassword(),
		remote("list", "List users", noArgs, listUsers),
		remote("disable NAME", "Lock a user out, and end all that they are signed in with", exactly(1, "cloudops user disable ada"), setDisabled(true)),
		remote("enable NAME", "Let a user in again", exactly(1, "cloudops user enable ada"), setDisabled(false)),
		remote("owner NAME OWNER", "Give a service account another owner", exactly(2, "cloudops user owner ci ada"), func(cmd *cobra.Command, c *client.Client, args []string) error {
			return c.UpdateUser(cmd.Context(), args[0], client.UpdateUser{Owner: &args[1]})
		}),
		remote("unlock NAME", "Let passwords in again after too many wrong ones", exactly(1, "cloudops user unlock ada"), func(cmd *cobra.Command, c *client.Client, args []string) error {
			return c.UpdateUser(cmd.Context(), args[0], client.UpdateUser{Unlock: true})
		}))
	return cmd
}

func newUserCreate() *cobra.Command {
	create := remote("create NAME", "Make a user, whose password is asked for, or a service account", exactly(1, "cloudops user create ada --role approver"), createUser)
	f := create.Flags()
	f.StringSlice("role", []string{string(engine.RoleViewer)}, "roles in the whole installation, such as operator; - for none, to give some in projects")
	f.String("password-file", "", "file with the password (default: asked for)")
	f.Bool("must-change", true, "have the password changed at the first sign-in")
	f.Bool("service", false, "make a service account: it has tokens and no password; see cloudops token create --for")
	f.String("owner", "", "who answers for the service account (default: you)")
	return create
}

func createUser(cmd *cobra.Command, c *client.Client, args []string) error {
	roles, err := cmd.Flags().GetStringSlice("role")
	if err != nil {
		return err
	}
	ask := client.CreateUser{Name: args[0], Roles: givenRoles(roles), Owner: option(cmd, "owner")}
	service, err := cmd.Flags().GetBool("service")
	if err != nil {
		return err
	}
	if service {
		ask.Kind = string(engine.Service)
		return c.CreateUser(cmd.Context(), ask)
	}
	change, err := cmd.Flags().GetBool("must-change")
	if err != nil {
		return err
	}
	password, err := askPassword(cmd, option(cmd, "password-file"))
	if err != nil {
		return err
	}
	ask.Password, ask.MustChange = password.Reveal(), &change
	return c.CreateUser(cmd.Context(), ask)
}

// givenRoles are the roles that are named; a dash stands for none.
func givenRoles(names []string) []string {
	if len(names) == 1 && names[0] == "-" {
		return []string{}
	}
	return names
}

func newUserPassword() *cobra.Command {
	cmd := remote("password NAME", "Give a user another password, to be changed at the next sign-in", exactly(1, "cloudops user password ada"), func(cmd *cobra.Command, c *client.Client, args []string) error {
		password, err := askPassword(cmd, option(cmd, "password-file"))
		if err != nil {
			return err
		}
		text := password.Reveal()
		return c.UpdateUser(cmd.Context(), args[0], client.UpdateUser{Password: &text})
	})
	cmd.Flags().String("password-file", "", "file with the password (default: asked for)")
	return cmd
}

func setDisabled(disabled bool) func(*cobra.Command, *client.Client, []string) error {
	return func(cmd *cobra.Command, c *client.Client, args []string) error {
		return c.UpdateUser(cmd.Context(), args[0], client.UpdateUser{Disabled: &disabled})
	}
}

func listUsers(cmd *cobra.Command, c *client.Client, _ []string) error {
	users, err := c.Users(cmd.Context())
	if err != nil {
		return err
	}
	var rows [][]string
	for _, u := range users {
		rows = append(rows, []string{u.Name, dashed(strings.Join(u.Roles, ",")), u.Kind, userState(u), dashed(u.Owner), since(u.CreatedAt)})
	}
	return show(cmd, users, table("NAME ROLES KIND STATE OWNER AGE", rows))
}

func userState(u client.User) string {
	switch {
	case u.Disabled:
		return "disabled"
	case u.LockedUntil != nil && time.Now().Before(*u.LockedUntil):
		return "locked"
	case u.MustChange:
		return "new"
	}
	return "active"
}
