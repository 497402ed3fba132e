package siem

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/cloudops-manager/cloudops/engine"
)

// Formats are those in which events are given away, by name.
func Formats() map[string]engine.EventFormat {
	return map[string]engine.EventFormat{
		"jsonl":       {Type: "application/jsonl", New: func(w io.Writer, _ string) engine.EventWriter { return jsonLines{w} }},
		"csv":         {Type: "text/csv; charset=utf-8", New: newTable},
		"cloudevents": {Type: "application/cloudevents-batch+json", New: func(w io.Writer, inst string) engine.EventWriter { return &cloudEvents{w: w, installation: inst} }},
	}
}

type jsonLines struct{ w io.Writer }

func (j jsonLines) Write(e *engine.Event) error {
	_, err := j.w.Write(append(e.Record(), '\n'))
	return err
}

func (jsonLines) Close() error { return nil }

type tableWriter struct{ csv *csv.Writer }

func newTable(w io.Writer, _ string) engine.EventWriter {
	t := tableWriter{csv.NewWriter(w)}
	_ = t.csv.Write([]string{"seq", "at", "actor", "action", "stack", "project", "run", "subject", "address", "request", "via", "detail", "before", "after", "previous", "hash"}) // an error comes again with Flush
	return t
}

func (t tableWriter) Write(e *engine.Event) error {
	row := []string{strconv.FormatInt(e.Seq, 10), e.At.UTC().Format(time.RFC3339Nano), e.Actor, e.Action, e.Stack, e.Project, e.Run, e.Subject, e.Address, e.Request, e.Via,
		string(e.Detail), string(e.Before), string(e.After), e.Previous, e.Hash}
	for i, cell := range row {
		row[i] = harmless(cell)
	}
	return t.csv.Write(row)
}

func (t tableWriter) Close() error {
	t.csv.Flush()
	return t.csv.Error()
}

// harmless keeps a spreadsheet from taking a cell for a formula.
// Source: https://owasp.org/www-community/attacks/CSV_Injection.
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// cloudEvents writes the JSON batch format of CloudEvents 1.0.
// Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md#4-json-batch-format.
type cloudEvents struct {
	w            io.Writer
	installation string
	some         bool
}

func (c *cloudEvents) Write(e *engine.Event) error {
	b, err := json.Marshal(cloudEvent(e, c.installation))
	if err != nil {
		return err
	}
	before := ",\n"
	if !c.some {
		before, c.some = "[", true
	}
	_, err = c.w.Write(append([]byte(before), b...))
	return err
}

func (c *cloudEvents) Close() error {
	end := "]\n"
	if !c.some {
		end = "[]\n"
	}
	_, err := io.WriteString(c.w, end)
	return err
}

// cloudEvent has the event's record as data, whole, so that its hash can be
// worked out from it.
func cloudEvent(e *engine.Event, installation string) event.Event {
	c := event.New()
	c.SetID(strconv.FormatInt(e.Seq, 10))
	c.SetSource("/cloudops/" + installation)
	c.SetType("io.cloudops-manager.audit." + e.Action)
	c.SetTime(e.At)
	if e.Subject != "" {
		c.SetSubject(e.Subject)
	}
	c.DataEncoded = e.Record()
	c.SetDataContentType(event.ApplicationJSON)
	return c
}

// lines is what a shipment is as a file.
func lines(s engine.Shipment) []byte { return append(bytes.Join(s.Lines, []byte("\n")), '\n') }
