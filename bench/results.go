package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Measurement is what was found of one thing in one go. Only figures of the
// same measurement compare: another one may have had the machine less busy.
type Measurement struct {
	Name    string    `json:"name"`
	At      time.Time `json:"at"`
	Rounds  int       `json:"rounds"`
	Error   string    `json:"error,omitempty"` // why it ended early
	Results []Result  `json:"results"`
}

// Result is one figure. Ratio is Ours over Bare where there is a bare figure.
type Result struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	Ours  float64 `json:"ours"`
	Bare  float64 `json:"bare,omitempty"`
	Ratio float64 `json:"ratio,omitempty"`
	Aim   string  `json:"aim,omitempty"`
	Note  string  `json:"note,omitempty"`
}

// print prints the measurement as a part of a table.
func (m *Measurement) print(to io.Writer) {
	for _, r := range m.Results {
		bare, ratio := "-", "-"
		if r.Bare > 0 {
			bare, ratio = fmt.Sprintf("%.3g %s", r.Bare, r.Unit), fmt.Sprintf("%.2f", r.Ratio)
		}
		fmt.Fprintf(to, "%-56s %12s %12s %7s  %s\n", r.Name, fmt.Sprintf("%.4g %s", r.Ours, r.Unit), bare, ratio, r.Aim)
	}
}

// file is what is kept of the newest of each measurement.
type file struct {
	Measurements []*Measurement `json:"measurements"`
}

// keep puts a measurement into the file in place of an older one.
func keep(path string, m *Measurement) error {
	var f file
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", path, err)
	}
	f.put(m)
	if b, err = json.MarshalIndent(f, "", "  "); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// put keeps the file in the order in which is measured.
func (f *file) put(m *Measurement) {
	f.Measurements = append(slices.DeleteFunc(f.Measurements, func(old *Measurement) bool { return old.Name == m.Name }), m)
	order := names()
	slices.SortStableFunc(f.Measurements, func(a, b *Measurement) int {
		return slices.Index(order, a.Name) - slices.Index(order, b.Name)
	})
}

// quantile gives the q-th quantile of values, 0 to 1, by nearest rank.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	return s[min(len(s)-1, int(q*float64(len(s))))]
}

func median(values []float64) float64 { return quantile(values, 0.5) }
