package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
)

func newToken() *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "Make and take back API tokens"}
	create := remote("create NAME", "Make a token and print it, once", exactly(1, "cloudops token create ci --expires 720h"), createToken)
	create.Flags().Duration("expires", 90*24*time.Hour, "how long it is good for; 0 for ever")
	cmd.AddCommand(create,
		remote("list", "List your tokens", noArgs, listTokens),
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
	secret, err := c.CreateToken(cmd.Context(), args[0], life)
	if err != nil {
		return err
	}
	return show(cmd, map[string]string{"token": secret.Reveal()}, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, secret.Reveal())
		return err
	})
}

func listTokens(cmd *cobra.Command, c *client.Client, _ []string) error {
	tokens, err := c.Tokens(cmd.Context())
	if err != nil {
		return err
	}
	var rows [][]string
	for _, t := range tokens {
		rows = append(rows, []string{t.ID, t.User, t.Name, since(t.CreatedAt), timeText(t.ExpiresAt), timeText(t.UsedAt)})
	}
	return show(cmd, tokens, table("TOKEN USER NAME AGE EXPIRES USED", rows))
}

func timeText(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}
