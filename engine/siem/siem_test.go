package siem

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// shipment is n events behind an event, of one chain.
func shipment(after, n int64) engine.Shipment {
	s := engine.Shipment{Installation: "inst", From: after + 1, To: after + n}
	signer := engine.NewAuditSigner(nil, noon)
	s.Lines = append(s.Lines, signer.Line())
	previous := engine.ChainStart
	for seq := int64(1); seq <= after+n; seq++ {
		e := engine.Event{At: noon, Actor: "ada", Action: "run.approve", Subject: "=1+1", Detail: []byte(`{"comment":"gut, ja: é"}`)}.Link(seq, previous)
		previous = e.Hash
		if seq > after {
			s.Events, s.Lines = append(s.Events, &e), append(s.Lines, e.Record())
		}
	}
	return s
}

func options() Options { return Options{HTTP: plainClient, Dial: (&net.Dialer{}).DialContext} }

func ship(t *testing.T, o Options, f engine.Forwarder, s engine.Shipment) error {
	t.Helper()
	kinds := map[string]engine.ForwarderKind{"udp": engine.ForwardSyslog, "tcp": engine.ForwardSyslog, "tls": engine.ForwardSyslog, "s3": engine.ForwardS3}
	f.Kind = engine.ForwardHTTP
	if kind, ok := kinds[strings.SplitN(f.Address, ":", 2)[0]]; ok {
		f.Kind = kind
	}
	shipper, err := o.Shipper(t.Context(), &f)
	if err != nil {
		return err
	}
	return shipper.Ship(t.Context(), s)
}

func written(t *testing.T, format string, s engine.Shipment) string {
	t.Helper()
	var b strings.Builder
	w := Formats()[format].New(&b, s.Installation)
	for _, e := range s.Events {
		if err := w.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTableHoldsNoFormula(t *testing.T) {
	s := shipment(0, 1)
	rows, err := csv.NewReader(strings.NewReader(written(t, "csv", s))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"1", "2026-01-02T12:00:00Z", "ada", "run.approve", "", "", "", "'=1+1", "", "", "", `{"comment":"gut, ja: é"}`, "", "", engine.ChainStart, s.Events[0].Hash}
	if len(rows) != 2 || !slices.Equal(rows[1], want) {
		t.Errorf("rows %q", rows)
	}
	for _, cell := range []string{"=a", "+a", "-a", "@a", "\ta", "\ra"} {
		if harmless(cell) != "'"+cell {
			t.Errorf("%q is taken for a formula", cell)
		}
	}
}

func TestCloudEventsAreValid(t *testing.T) {
	for _, n := range []int64{0, 1, 3} {
		s := shipment(0, n)
		var list []event.Event
		if err := json.Unmarshal([]byte(written(t, "cloudevents", s)), &list); err != nil {
			t.Fatal(err)
		}
		if len(list) != int(n) {
			t.Fatalf("%d events, want %d", len(list), n)
		}
		for i, c := range list {
			if err := c.Validate(); err != nil {
				t.Error(err)
			}
			if c.ID() != fmt.Sprint(i+1) || c.Source() != "/cloudops/inst" || c.Type() != "io.cloudops-manager.audit.run.approve" || !bytes.Equal(c.Data(), s.Events[i].Record()) {
				t.Errorf("event %s", c)
			}
		}
	}
}

// verified makes sure that what arrived is an export that is whole.
func verified(t *testing.T, export string, events int64) {
	t.Helper()
	v := engine.NewVerifier()
	v.Forwarded = true
	for line := range strings.Lines(export) {
		v.Line([]byte(line))
	}
	if r := v.Finish(); !r.Whole() || r.Events != events {
		t.Errorf("%+v\n%s", r, export)
	}
}

func TestLogIsPostedAndSigned(t *testing.T) {
	var header http.Header
	var body []byte
	status := http.StatusNoContent
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(status)
	}))
	defer server.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	f := engine.Forwarder{Address: server.URL + "/in?key=sesame", Config: engine.ForwarderConfig{Secret: "shared", CA: ca, Header: map[string]engine.Secret{"Authorization": "Splunk token"}}}
	s := shipment(0, 3)
	if err := ship(t, options(), f, s); err != nil {
		t.Fatal(err)
	}
	verified(t, string(body), 3)
	mac := hmac.New(sha256.New, []byte("shared"))
	mac.Write([]byte("inst-1-3." + header.Get("Webhook-Timestamp") + "." + string(body)))
	if header.Get("Webhook-Signature") != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) || header.Get("Webhook-Id") != "inst-1-3" || header.Get("Authorization") != "Splunk token" {
		t.Errorf("header %v", header)
	}

	f.Config.Format = "cloudevents"
	if err := ship(t, options(), f, s); err != nil || header.Get("Content-Type") != "application/cloudevents-batch+json" || !json.Valid(body) {
		t.Errorf("%v, header %v, body %s", err, header, body)
	}
	for _, status = range []int{http.StatusFound, http.StatusInternalServerError} {
		if err := ship(t, options(), f, s); err == nil || !strings.Contains(err.Error(), fmt.Sprint(status)) {
			t.Errorf("status %d: %v", status, err)
		}
	}
	f.Config.CA = ""
	if err := ship(t, options(), f, s); err == nil || strings.Contains(err.Error(), "sesame") {
		t.Errorf("with a certificate of nobody: %v", err)
	}
	for _, c := range []engine.ForwarderConfig{{Format: "xml"}, {CA: "none"}, {Header: map[string]engine.Secret{"Host": "x"}}, {Header: map[string]engine.Secret{"A b": "x"}}, {Header: map[string]engine.Secret{"A": "x\ny"}}} {
		if err := ship(t, options(), engine.Forwarder{Address: server.URL, Config: c}, s); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

func TestAnEndpointHoldsNoPassword(t *testing.T) {
	for _, endpoint := range []string{"https://key:hush@minio.example.com", "minio.example.com", "https://minio.example.com?token=hush"} {
		f := engine.Forwarder{Address: "s3://audit", Config: engine.ForwarderConfig{Region: "eu-central-1", Endpoint: endpoint, Credential: "logs"}}
		if err := ship(t, options(), f, shipment(0, 1)); !errors.Is(err, engine.ErrInvalid) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}

func TestObjectsOfABucketAreAnExport(t *testing.T) {
	moto := enginetest.Moto(t)
	o := options()
	o.Credential = func(_ context.Context, name string) (*engine.Credential, error) {
		if name != "logs" {
			return nil, engine.NotFound("there are no credentials named %q", name)
		}
		return &engine.Credential{Values: map[string]engine.Secret{"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}}, nil
	}
	f := engine.Forwarder{Address: "s3://audit/prod", Config: engine.ForwarderConfig{Region: "eu-central-1", Endpoint: moto.URL, Credential: "logs"}}
	if err := ship(t, o, f, shipment(0, 1)); err == nil || !strings.Contains(err.Error(), "NoSuchBucket") {
		t.Errorf("without a bucket: %v", err)
	}
	b, err := o.newBucket(t.Context(), mustURL(t, f.Address), f.Config)
	if err != nil {
		t.Fatal(err)
	}
	location := &s3.CreateBucketInput{Bucket: aws.String("audit")}
	location.CreateBucketConfiguration = bucketIn("eu-central-1")
	if _, err := b.client.CreateBucket(t.Context(), location); err != nil {
		t.Fatal(err)
	}
	whole := shipment(0, 5)
	for _, part := range [][2]int64{{0, 2}, {0, 3}, {3, 5}} { // the second comes once more, with one more event
		s := engine.Shipment{Installation: "inst", From: part[0] + 1, To: part[1], Events: whole.Events[part[0]:part[1]], Lines: append([][]byte{whole.Lines[0]}, whole.Lines[1+part[0]:1+part[1]]...)}
		if err := ship(t, o, f, s); err != nil {
			t.Fatal(err)
		}
	}
	list, err := b.client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("audit")})
	if err != nil {
		t.Fatal(err)
	}
	var export strings.Builder
	var keys []string
	for _, object := range list.Contents {
		keys = append(keys, *object.Key)
		res, err := b.client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("audit"), Key: object.Key})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(&export, res.Body)
	}
	if len(keys) != 3 || keys[2] != "prod/2026/01/02/00000000000000000004-00000000000000000005.jsonl" {
		t.Errorf("keys %q", keys)
	}
	verified(t, export.String(), 5)
	for _, c := range []engine.ForwarderConfig{{Region: "eu"}, {Credential: "logs"}, {Region: "eu", Credential: "none"}} {
		if err := ship(t, o, engine.Forwarder{Address: "s3://audit", Config: c}, whole); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}
