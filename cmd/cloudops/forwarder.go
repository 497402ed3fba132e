package main

import (
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
)

func newForwarder() *cobra.Command {
	cmd := &cobra.Command{Use: "forwarder", Short: "Send the audit log on by syslog, HTTP or to S3"}
	add := remote("add NAME ADDRESS", "Send the audit log on to somewhere", exactly(2, "cloudops audit forwarder add siem tls://logs.example.com:6514"), addForwarder)
	add.Long = `Sends the audit log on: each event at least once and in order, from the first on
or, with --from-now, from the next. An address is one of

  udp://HOST[:PORT], tcp://HOST[:PORT], tls://HOST[:PORT]   syslog (RFC 5424)
  https://HOST/PATH                                         POST of JSON lines or CloudEvents
  s3://BUCKET/PREFIX                                        objects of JSON lines

What reads JSON lines can verify them with cloudops audit verify --forwarded.`
	f := add.Flags()
	f.Bool("from-now", false, "send what happens from now on, not the whole log")
	f.String("format", "", "of HTTP: jsonl or cloudevents (default jsonl)")
	f.String("secret-file", "", "of HTTP: file with a secret that signs what is sent, as Standard Webhooks do")
	f.StringSlice("header-file", nil, "of HTTP: header to send along and a file with its value, as in Authorization=token.txt; may be given several times")
	f.String("ca-file", "", "of tls:// and https://: file with certificates to trust instead of the system's")
	f.String("region", "", "of S3: region of the bucket")
	f.String("endpoint", "", "of S3: address, where it is not AWS")
	f.String("credential", "", "of S3: name of stored credentials with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	cmd.AddCommand(add,
		remote("list", "List to where the audit log is sent on", noArgs, listForwarders),
		remote("pause NAME", "Hold a forwarder back", exactly(1, "cloudops audit forwarder pause siem"), pauseForwarder(true)),
		remote("resume NAME", "Let a forwarder go on from where it was", exactly(1, "cloudops audit forwarder resume siem"), pauseForwarder(false)),
		remote("remove NAME", "Send the audit log there no more", exactly(1, "cloudops audit forwarder remove siem"), func(cmd *cobra.Command, c *client.Client, args []string) error {
			return c.RemoveForwarder(cmd.Context(), args[0])
		}))
	return cmd
}

func addForwarder(cmd *cobra.Command, c *client.Client, args []string) error {
	fromNow, err := cmd.Flags().GetBool("from-now")
	if err != nil {
		return err
	}
	a := client.AddForwarder{Name: args[0], Address: args[1], FromNow: fromNow, Format: option(cmd, "format"), Region: option(cmd, "region"),
		Endpoint: option(cmd, "endpoint"), Credential: option(cmd, "credential")}
	if a.Secret, err = fileOption(option(cmd, "secret-file")); err != nil {
		return err
	}
	if a.CA, err = fileOption(option(cmd, "ca-file")); err != nil {
		return err
	}
	if a.Header, err = headerOption(cmd); err != nil {
		return err
	}
	made, err := c.AddForwarder(cmd.Context(), a)
	if err != nil {
		return err
	}
	return told(cmd, made, "the audit log is sent on to %s", made.Address)
}

// fileOption is the text of a file, or "" for none: secrets are no arguments,
// for these can be seen.
func fileOption(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	b, err := os.ReadFile(path)
	return strings.TrimRight(string(b), "\r\n"), err
}

func headerOption(cmd *cobra.Command) (map[string]string, error) {
	list, err := cmd.Flags().GetStringSlice("header-file")
	if err != nil {
		return nil, err
	}
	header := map[string]string{}
	for _, text := range list {
		name, path, ok := strings.Cut(text, "=")
		if !ok {
			return nil, misuse("--header-file is a header and a file, as in Authorization=token.txt, not %q", text)
		}
		if header[name], err = fileOption(path); err != nil {
			return nil, err
		}
	}
	return header, nil
}

func listForwarders(cmd *cobra.Command, c *client.Client, _ []string) error {
	list, err := c.Forwarders(cmd.Context())
	if err != nil {
		return err
	}
	var rows [][]string
	for _, f := range list {
		rows = append(rows, []string{f.Name, f.Address, strconv.FormatInt(f.Seq, 10), forwarderState(f)})
	}
	return show(cmd, list, table("NAME ADDRESS SENT STATE", rows))
}

func forwarderState(f client.Forwarder) string {
	switch {
	case f.Paused:
		return "paused"
	case f.FailingSince != nil:
		return "failing for " + since(*f.FailingSince) + ": " + f.Error
	}
	return "active"
}

func pauseForwarder(paused bool) func(*cobra.Command, *client.Client, []string) error {
	return func(cmd *cobra.Command, c *client.Client, args []string) error {
		_, err := c.PauseForwarder(cmd.Context(), args[0], paused)
		return err
	}
}
