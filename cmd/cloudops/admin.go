package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// remote makes a command that asks the server.
func remote(use, short string, args cobra.PositionalArgs, run func(cmd *cobra.Command, c *client.Client, args []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: args,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			return run(cmd, c, args)
		},
	}
}

func newState() *cobra.Command {
	cmd := &cobra.Command{Use: "state", Short: "Look at Terraform states and their locks"}
	unlock := remote("unlock STACK COMPONENT", "Break the lock on a component's state", exactly(2, "cloudops state unlock payments terraform.web --reason 'worker is gone'"),
		func(cmd *cobra.Command, c *client.Client, args []string) error {
			return c.BreakLock(cmd.Context(), args[0], args[1], option(cmd, "reason"))
		})
	unlock.Flags().String("reason", "", "why; kept in the audit log")
	if err := unlock.MarkFlagRequired("reason"); err != nil {
		panic(err) // the flag is defined in the line above
	}
	cmd.AddCommand(
		remote("list STACK", "List the newest state of each component", exactly(1, "cloudops state list payments"), listStates),
		remote("versions STACK COMPONENT", "List the versions of a component's state", exactly(2, "cloudops state versions payments terraform.web"), listStateVersions),
		remote("pull VERSION", "Print a state version, secrets included", exactly(1, "cloudops state pull sv-..."), pullState),
		remote("locks STACK", "List the locks on a stack's states", exactly(1, "cloudops state locks payments"), listLocks),
		unlock,
	)
	return cmd
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
		rows = append(rows, []string{v.ID, v.Component, strconv.FormatInt(v.Serial, 10), strconv.Itoa(v.Resources), v.By, v.Run, age(v.CreatedAt)})
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
		rows = append(rows, []string{l.Component, l.Holder, l.Reason, age(l.CreatedAt)})
	}
	return show(cmd, locks, table("COMPONENT HOLDER REASON AGE", rows))
}

func newCredential() *cobra.Command {
	cmd := &cobra.Command{Use: "credential", Short: "Store what clouds authenticate with"}
	set := remote("set NAME", "Store credentials; values come from a file of NAME=VALUE lines, or - for standard input",
		exactly(1, "cloudops credential set aws-payments --cloud aws --from creds.env"), setCredential)
	set.Flags().String("cloud", "", "aws, azure, gcp or local")
	set.Flags().String("from", "-", "file of NAME=VALUE lines")
	set.Flags().String("description", "", "what they are for")
	cmd.AddCommand(set,
		remote("list", "List credentials, without their values", noArgs, listCredentials),
		remote("delete NAME", "Delete credentials", exactly(1, "cloudops credential delete aws-payments"), func(cmd *cobra.Command, c *client.Client, args []string) error {
			return c.DeleteCredential(cmd.Context(), args[0])
		}))
	return cmd
}

func setCredential(cmd *cobra.Command, c *client.Client, args []string) error {
	values, err := readValues(cmd, option(cmd, "from"))
	if err != nil {
		return err
	}
	return c.PutCredential(cmd.Context(), args[0], client.PutCredential{Cloud: option(cmd, "cloud"), Description: option(cmd, "description"), Values: values})
}

// readValues reads NAME=VALUE lines; blank ones and those with # in front are passed over.
func readValues(cmd *cobra.Command, path string) (map[string]string, error) {
	in := cmd.InOrStdin()
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for i, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		if !ok {
			return nil, misuse("line %d has no =, as in: AWS_REGION=eu-west-1", i+1)
		}
		values[name] = strings.Trim(value, `"'`)
	}
	return values, nil
}

func listCredentials(cmd *cobra.Command, c *client.Client, _ []string) error {
	all, err := c.Credentials(cmd.Context())
	if err != nil {
		return err
	}
	var rows [][]string
	for _, cr := range all {
		rows = append(rows, []string{cr.Name, cr.Cloud, strings.Join(cr.Keys, ","), age(cr.UpdatedAt), cr.Description})
	}
	return show(cmd, all, table("NAME CLOUD VARIABLES UPDATED DESCRIPTION", rows))
}

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
		rows = append(rows, []string{t.ID, t.User, t.Name, age(t.CreatedAt), timeText(t.ExpiresAt), timeText(t.UsedAt)})
	}
	return show(cmd, tokens, table("TOKEN USER NAME AGE EXPIRES USED", rows))
}

func timeText(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}

func newUser() *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "Make users and change what they may do"}
	create := remote("create NAME", "Make a user; the password is asked for", exactly(1, "cloudops user create ada --role approver"), createUser)
	create.Flags().String("role", string(engine.RoleViewer), "viewer, operator, approver or admin")
	create.Flags().String("password-file", "", "file with the password (default: asked for)")
	role := remote("role NAME ROLE", "Give a user another role", exactly(2, "cloudops user role ada operator"), func(cmd *cobra.Command, c *client.Client, args []string) error {
		return c.UpdateUser(cmd.Context(), args[0], client.UpdateUser{Role: &args[1]})
	})
	cmd.AddCommand(create, role,
		remote("list", "List users", noArgs, listUsers),
		remote("disable NAME", "Lock a user out", exactly(1, "cloudops user disable ada"), setDisabled(true)),
		remote("enable NAME", "Let a user in again", exactly(1, "cloudops user enable ada"), setDisabled(false)))
	return cmd
}

func createUser(cmd *cobra.Command, c *client.Client, args []string) error {
	password, err := askPassword(cmd, option(cmd, "password-file"))
	if err != nil {
		return err
	}
	return c.CreateUser(cmd.Context(), client.CreateUser{Name: args[0], Role: option(cmd, "role"), Password: password.Reveal()})
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
		state := "active"
		if u.Disabled {
			state = "disabled"
		}
		rows = append(rows, []string{u.Name, u.Role, state, age(u.CreatedAt)})
	}
	return show(cmd, users, table("NAME ROLE STATE AGE", rows))
}

func newSchedule() *cobra.Command {
	cmd := &cobra.Command{Use: "schedule", Short: "Start runs by the clock"}
	create := remote("create STACK NAME", "Make a schedule", exactly(2, "cloudops schedule create payments nightly --kind drift --cron '0 2 * * *'"), createSchedule)
	create.Flags().String("kind", string(engine.RunDrift), "drift, preview, apply or destroy")
	create.Flags().String("cron", "", "five fields, or @every 6h")
	create.Flags().String("timezone", "UTC", "IANA name, such as Europe/Zurich")
	cmd.AddCommand(create,
		remote("list STACK", "List the schedules of a stack", exactly(1, "cloudops schedule list payments"), listSchedules),
		remote("pause ID", "Stop a schedule from firing", exactly(1, "cloudops schedule pause sch-..."), pauseSchedule(true)),
		remote("resume ID", "Let a schedule fire again", exactly(1, "cloudops schedule resume sch-..."), pauseSchedule(false)),
		remote("delete ID", "Delete a schedule", exactly(1, "cloudops schedule delete sch-..."), func(cmd *cobra.Command, c *client.Client, args []string) error {
			return c.DeleteSchedule(cmd.Context(), args[0])
		}))
	return cmd
}

func createSchedule(cmd *cobra.Command, c *client.Client, args []string) error {
	sch, err := c.CreateSchedule(cmd.Context(), args[0], client.CreateSchedule{
		Name: args[1], Kind: option(cmd, "kind"), Cron: option(cmd, "cron"), Timezone: option(cmd, "timezone"),
	})
	if err != nil {
		return err
	}
	return show(cmd, sch, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s fires next at %s\n", sch.ID, sch.NextRunAt.Local().Format(time.RFC1123))
		return err
	})
}

func pauseSchedule(paused bool) func(*cobra.Command, *client.Client, []string) error {
	return func(cmd *cobra.Command, c *client.Client, args []string) error {
		_, err := c.PauseSchedule(cmd.Context(), args[0], paused)
		return err
	}
}

func listSchedules(cmd *cobra.Command, c *client.Client, args []string) error {
	all, err := c.Schedules(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	var rows [][]string
	for _, s := range all {
		next := s.NextRunAt.Local().Format("2006-01-02 15:04")
		if s.Paused {
			next = "paused"
		}
		rows = append(rows, []string{s.ID, s.Name, s.Kind, s.Cron, s.Timezone, next, s.LastRun})
	}
	return show(cmd, all, table("SCHEDULE NAME KIND CRON TIMEZONE NEXT LAST-RUN", rows))
}
