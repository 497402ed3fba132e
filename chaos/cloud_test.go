package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// checkCloud wants everything that is there to be in a state or of an interrupted
// run, and everything that is in a state to be there, unless the last run that
// changed something was cut short.
func (w *world) checkCloud(ctx context.Context, ended map[string]client.Run) {
	there := w.inCloud(ctx)
	var held []string
	for _, d := range w.drivers {
		if d.kind != "aws" {
			continue
		}
		names := w.namesOf(ctx, d.name)
		held = append(held, names...)
		for _, name := range names {
			if !slices.Contains(there, name) && d.settled(ended) {
				w.fail("%s is in the state of %s, and not in the cloud", name, d.name)
			}
		}
	}
	for _, name := range there {
		if run, ok := ended[nonceOf(name)]; !slices.Contains(held, name) && !(ok && run.Status == string(engine.RunInterrupted)) {
			w.fail("%s is in no state, and no interrupted run made it", name)
		}
	}
}

// settled reports whether the stack's last run that changed something succeeded.
func (d *driver) settled(ended map[string]client.Run) bool {
	var last client.Run
	for _, run := range ended {
		if run.Stack == d.name && engine.RunKind(run.Kind).Changing() && run.CreatedAt.After(last.CreatedAt) {
			last = run
		}
	}
	return last.Status == string(engine.RunSucceeded)
}

// nonceOf gives the nonce in the name of a bucket or of a parameter.
func nonceOf(name string) string {
	if path := strings.Split(name, "/"); len(path) > 2 {
		return path[2]
	}
	i := strings.LastIndex(name, "-")
	return name[:max(i, 0)] + "." + name[i+1:]
}

// inCloud lists the buckets and parameters of the fake cloud.
func (w *world) inCloud(ctx context.Context) []string {
	names, err := w.moto.Buckets()
	if err != nil {
		w.fail("moto: %v", err)
	}
	for next := ""; ; {
		var page struct {
			Parameters []struct{ Name string }
			NextToken  string
		}
		if err := w.describeParameters(ctx, next, &page); err != nil {
			w.fail("moto: %v", err)
		}
		for _, p := range page.Parameters {
			names = append(names, p.Name)
		}
		if next = page.NextToken; next == "" {
			return names
		}
	}
}

// describeParameters asks as an AWS client does. The fake cloud finds the service
// in what would be signed, and does not look at the signature.
func (w *world) describeParameters(ctx context.Context, next string, page any) error {
	body := "{}"
	if next != "" {
		body = fmt.Sprintf(`{"NextToken":%q}`, next)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.moto.URL, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "AmazonSSM.DescribeParameters")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/ssm/aws4_request, SignedHeaders=host, Signature=none")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("describe parameters: %s", res.Status)
	}
	return json.NewDecoder(res.Body).Decode(page)
}

// namesOf lists the buckets and parameters in the stack's state.
func (w *world) namesOf(ctx context.Context, stack string) (names []string) {
	versions, err := w.client.States(ctx, stack)
	if err != nil {
		w.fail("states of %s: %v", stack, err)
	}
	for _, v := range versions {
		data, err := w.client.DownloadState(ctx, v.ID)
		var state struct {
			Resources []struct {
				Instances []struct{ Attributes struct{ Bucket, Name string } }
			}
		}
		if err == nil {
			err = json.Unmarshal(data, &state)
		}
		if err != nil {
			w.fail("state %s: %v", v.ID, err)
		}
		for _, res := range state.Resources {
			for _, in := range res.Instances {
				names = append(names, in.Attributes.Bucket+in.Attributes.Name) // one of them is empty
			}
		}
	}
	return names
}
