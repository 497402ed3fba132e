package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
)

func newToken() *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "Make and take back API tokens"}
	create := remote("create NAME", "Make a token and print it, once", exactly(1, "cloudops token create ci --expires 720h --permissions read,plan"), createToken)
	create.Flags().Duration("expires", 0, "how long it is good for; 0 for ever (default: as long as the server says)")
	create.Flags().StringSlice("permissions", nil, "what it is good for at most (default: all that its user may do)")
	create.Flags().String("scope", "installation", "where it is good for that: installation, project:NAME or stack:NAME")
	create.Flags().String("for", "", "service account that it is for (default: yourself)")
	list := remote("list", "List your tokens", noArgs, listTokens)
	list.Flags().String("for", "", "user whose tokens to list (default: yourself)")
	cmd.AddCommand(create, list,
		remote("delete ID", "Take a token back", exactly(1, "cloudops token delete tok-..."), func(cmd *cobra.Command, c *client.Client, args []string) error {
			return c.DeleteToken(cmd.Context(), args[0])
		}))
	return cmd
}

func createToken(cmd *cobra.Command, c *client.Client, args []string) error {
	life, err := cmd.Flags().GetDuration("expires")
	if err != nil {
		return err
	}
	if life != 0 && life < time.Second {
		return misuse("--expires is at least 1s, or 0 for ever, as in: cloudops token create ci --expires 720h")
	}
	permissions, err := cmd.Flags().GetStringSlice("permissions")
	if err != nil {
		return err
	}
	ask := client.CreateToken{Name: args[0], User: option(cmd, "for"), Permissions: permissions, Scope: option(cmd, "scope")}
	if cmd.Flags().Changed("expires") {
		ask.Seconds, ask.Forever = int64(life/time.Second), life == 0
	}
	made, err := c.CreateToken(cmd.Context(), ask)
	if err != nil {
		return err
	}
	return show(cmd, map[string]string{"token": made.Token, "id": made.ID}, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, made.Token)
		return err
	})
}

func listTokens(cmd *cobra.Command, c *client.Client, _ []string) error {
	tokens, err := c.Tokens(cmd.Context(), option(cmd, "for"))
	if err != nil {
		return err
	}
	var rows [][]string
	for _, t := range tokens {
		rows = append(rows, []string{t.ID, t.User, t.Name, tokenLimits(t), since(t.CreatedAt), timeText(t.ExpiresAt), timeText(t.UsedAt), t.UsedFrom})
	}
	return show(cmd, tokens, table("TOKEN USER NAME LIMITS AGE EXPIRES USED FROM", rows))
}

// tokenLimits says what a token is good for.
func tokenLimits(t client.Token) string {
	if len(t.Permissions) == 0 {
		return dashed(t.Scope)
	}
	return strings.Join(t.Permissions, ",") + " on " + t.Scope
}

func timeText(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}
