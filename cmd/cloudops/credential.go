package main

import (
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
)

func newCredential() *cobra.Command {
	cmd := &cobra.Command{Use: "credential", Short: "Store what clouds authenticate with"}
	set := remote("set NAME", "Store credentials; values come from a file of NAME=VALUE lines, or - for standard input",
		exactly(1, "cloudops credential set aws-payments --cloud aws --from creds.env"), setCredential)
	set.Flags().String("cloud", "", "aws, azure, gcp or local")
	set.Flags().String("from", "-", "file of NAME=VALUE lines")
	set.Flags().StringArray("file", nil, "value that is the content of a file, as in SSH_PRIVATE_KEY=deploy_key; may be given several times")
	set.Flags().String("description", "", "what they are for")
	cmd.AddCommand(set,
		remote("list", "List credentials, without their values", noArgs, listCredentials),
		remote("delete NAME", "Delete credentials", exactly(1, "cloudops credential delete aws-payments"), func(cmd *cobra.Command, c *client.Client, args []string) error {
			return c.DeleteCredential(cmd.Context(), args[0])
		}))
	return cmd
}

func setCredential(cmd *cobra.Command, c *client.Client, args []string) error {
	files, err := cmd.Flags().GetStringArray("file")
	if err != nil {
		return err
	}
	values := map[string]string{}
	if len(files) == 0 || cmd.Flags().Changed("from") {
		if values, err = readValues(cmd, option(cmd, "from")); err != nil {
			return err
		}
	}
	if err := readFiles(values, files); err != nil {
		return err
	}
	return c.PutCredential(cmd.Context(), args[0], client.PutCredential{Cloud: option(cmd, "cloud"), Description: option(cmd, "description"), Values: values})
}

// readFiles adds values that are the contents of files, such as keys.
func readFiles(values map[string]string, files []string) error {
	for _, arg := range files {
		name, path, ok := strings.Cut(arg, "=")
		if !ok || name == "" {
			return misuse("--file %q has no =, as in: SSH_PRIVATE_KEY=deploy_key", arg)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		values[name] = string(b)
	}
	return nil
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
		rows = append(rows, []string{cr.Name, cr.Cloud, strings.Join(cr.Keys, ","), since(cr.UpdatedAt), cr.Description})
	}
	return show(cmd, all, table("NAME CLOUD VARIABLES UPDATED DESCRIPTION", rows))
}
