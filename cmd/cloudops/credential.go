package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func newCredential() *cobra.Command {
	cmd := &cobra.Command{Use: "credential", Short: "Store what clouds authenticate with"}
	set := remote("set NAME", "Store credentials: environment variables, or the fields of a kind",
		exactly(1, "cloudops credential set aws-payments --kind aws-web-identity --role-arn arn:aws:iam::123456789012:role/apply"), setCredential)
	set.Long = `Store credentials: environment variables, or the fields of a kind.

Secrets come from a file of NAME=VALUE lines, standard input, or files of their
own, never from the command line. What begins with --plan- is for plans, drift
checks and previews; without any of it they use the same as applies.

Kinds and their fields, secret ones in brackets:
` + kindsHelp()
	f := set.Flags()
	f.String("kind", string(engine.CredentialEnvironment), "how they authenticate; see above")
	f.String("cloud", "", "aws, azure, gcp or local; follows from the kind, but for environment")
	f.String("from", "-", "file of NAME=VALUE lines; - is standard input, which is read for environment only unless this is given")
	f.StringArray("file", nil, "value that is the content of a file, as in SSH_PRIVATE_KEY=deploy_key; may be given several times")
	f.String("plan-from", "", "the same as --from, for plans")
	f.StringArray("plan-file", nil, "the same as --file, for plans")
	f.String("description", "", "what they are for")
	for _, field := range openFields() {
		f.String(flagName(field.Name), "", field.About)
		if field.Split {
			f.String("plan-"+flagName(field.Name), "", field.About+", for plans")
		}
	}
	cmd.AddCommand(set,
		remote("list", "List credentials, without their values", noArgs, listCredentials),
		remote("delete NAME", "Delete credentials", exactly(1, "cloudops credential delete aws-payments"), func(cmd *cobra.Command, c *client.Client, args []string) error {
			return c.DeleteCredential(cmd.Context(), args[0])
		}))
	return cmd
}

// openFields are the fields of all kinds that are no secrets, each name once.
func openFields() (fields []engine.CredentialField) {
	for _, k := range engine.CredentialKinds() {
		for _, f := range k.Fields() {
			if !f.Secret && !slices.ContainsFunc(fields, func(g engine.CredentialField) bool { return g.Name == f.Name }) {
				fields = append(fields, f)
			}
		}
	}
	return fields
}

func flagName(field string) string { return strings.ReplaceAll(field, "_", "-") }

// kindsHelp lists the kinds with their fields.
func kindsHelp() string {
	var b strings.Builder
	for _, k := range engine.CredentialKinds() {
		var names []string
		for _, f := range k.Fields() {
			name := flagName(f.Name)
			if f.Secret {
				name = "[" + f.Name + "]"
			}
			names = append(names, name)
		}
		if len(names) == 0 {
			names = []string{"any environment variables"}
		}
		fmt.Fprintf(&b, "  %-24s %s\n", k, strings.Join(names, ", "))
	}
	return b.String()
}

func setCredential(cmd *cobra.Command, c *client.Client, args []string) error {
	put := client.PutCredential{Kind: option(cmd, "kind"), Cloud: option(cmd, "cloud"), Description: option(cmd, "description")}
	own, err := credentialPart(cmd, "")
	if err != nil {
		return err
	}
	put.Fields, put.Values = own.Fields, own.Values
	plan, err := credentialPart(cmd, "plan-")
	if err != nil {
		return err
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if strings.HasPrefix(f.Name, "plan-") { // be it empty: the server says what is wrong with that
			put.Plan = &plan
		}
	})
	return c.PutCredential(cmd.Context(), args[0], put)
}

// credentialPart reads the flags with the prefix.
func credentialPart(cmd *cobra.Command, prefix string) (p client.PutCredentialPart, err error) {
	p.Fields, p.Values = map[string]string{}, map[string]string{}
	for _, f := range openFields() {
		if flag := cmd.Flags().Lookup(prefix + flagName(f.Name)); flag != nil && flag.Changed {
			p.Fields[f.Name] = flag.Value.String()
		}
	}
	files, err := cmd.Flags().GetStringArray(prefix + "file")
	if err != nil {
		return p, err
	}
	variables := prefix == "" && option(cmd, "kind") == string(engine.CredentialEnvironment) && len(files) == 0
	if variables || cmd.Flags().Changed(prefix+"from") {
		if p.Values, err = readValues(cmd, option(cmd, prefix+"from")); err != nil {
			return p, err
		}
	}
	return p, readFiles(p.Values, files)
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
		if !utf8.Valid(b) { // such as a certificate in PKCS#12
			values[name] = base64.StdEncoding.EncodeToString(b)
		}
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
		values[name] = unquoted(value)
	}
	return values, nil
}

// unquoted is a value without the quotes that it stands between.
func unquoted(value string) string {
	for _, quote := range []string{`"`, `'`} {
		if len(value) > 1 && strings.HasPrefix(value, quote) && strings.HasSuffix(value, quote) {
			return value[1 : len(value)-1]
		}
	}
	return value
}

func listCredentials(cmd *cobra.Command, c *client.Client, _ []string) error {
	all, err := c.Credentials(cmd.Context())
	if err != nil {
		return err
	}
	var rows [][]string
	for _, cr := range all {
		plan := "as applies"
		if cr.Plan != nil {
			plan = partText(*cr.Plan)
		}
		rows = append(rows, []string{cr.Name, cr.Kind, cr.Cloud, partText(client.CredentialPart{Fields: cr.Fields, Keys: cr.Keys}), plan, since(cr.UpdatedAt), cr.Description})
	}
	return show(cmd, all, table("NAME KIND CLOUD APPLIES PLANS UPDATED DESCRIPTION", rows))
}

// partText is a part's fields, and the names of its values.
func partText(p client.CredentialPart) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(p.Fields)) {
		parts = append(parts, name+"="+p.Fields[name])
	}
	return strings.Join(append(parts, p.Keys...), ",")
}
