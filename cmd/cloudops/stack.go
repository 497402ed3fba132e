package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/blueprint"
)

func newStack() *cobra.Command {
	cmd := &cobra.Command{Use: "stack", Short: "Write, submit and look at stacks"}
	cmd.AddCommand(newStackValidate(), newStackFmt(), newStackGraph(), newStackSubmit(), newStackApply(), newStackDestroy(), newStackList(), newStackShow(),
		newStackHold(), newStackRelease(), newStackDelete())
	return cmd
}

// stackFolder is the folder of what -f names: a folder, or the stack file in it.
func stackFolder(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.IsDir() {
		return path, nil
	}
	return filepath.Dir(path), nil
}

// varFlags are the values of a stack's variables as the command line has them.
type varFlags struct {
	vars  []string
	files []string
}

func (v *varFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&v.vars, "var", nil, "value of a variable, as in env=prod; lists and objects in JSON")
	cmd.Flags().StringArrayVar(&v.files, "var-file", nil, "JSON file with values of variables")
}

// values puts files and single values together; what comes later wins.
func (v *varFlags) values() (map[string]json.RawMessage, error) {
	all := map[string]json.RawMessage{}
	for _, path := range v.files {
		b, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(b, &all)
		}
		if err != nil {
			return nil, misuse("--var-file %s: %w", path, err)
		}
	}
	for _, kv := range v.vars {
		name, value, ok := strings.Cut(kv, "=")
		if !ok {
			return nil, misuse("--var %q has no value, as in: --var env=prod", kv)
		}
		all[name] = engine.ValueOf(value)
	}
	return all, nil
}

func newStackValidate() *cobra.Command {
	var file string
	var vars varFlags
	cmd := &cobra.Command{
		Use: "validate", Short: "Check a stack without a server", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			bp, err := compileLocal(cmd, file, vars)
			if err != nil {
				return err
			}
			return show(cmd, map[string]any{"stack": bp.Name, "components": len(bp.Components)}, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "Stack %s is valid: %d components.\n", bp.Name, len(bp.Components))
				return err
			})
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", ".", "stack file or its folder")
	vars.add(cmd)
	return cmd
}

func newStackGraph() *cobra.Command {
	var file string
	var vars varFlags
	cmd := &cobra.Command{
		Use: "graph", Short: "Print the graph of components in the DOT language, without a server", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			bp, err := compileLocal(cmd, file, vars)
			if err != nil {
				return err
			}
			return show(cmd, graphOf(bp), func(w io.Writer) error {
				_, err := io.WriteString(w, blueprint.DOT(bp))
				return err
			})
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", ".", "stack file or its folder")
	vars.add(cmd)
	return cmd
}

// graphOf is a stack's graph for programs, in the shapes of the API.
func graphOf(bp engine.Blueprint) any {
	components, upstreams := []client.Component{}, []client.Upstream{}
	for _, c := range bp.Components {
		components = append(components, client.Component{Address: c.Address, Kind: string(c.Kind), Cloud: string(c.Cloud), Source: c.Source, Needs: append([]string{}, c.Needs...)})
	}
	for _, u := range bp.Upstreams {
		upstreams = append(upstreams, client.Upstream{Name: u.Name, Stack: u.Stack, Trigger: u.Trigger, Outputs: u.Outputs})
	}
	return map[string]any{"stack": bp.Name, "components": components, "upstreams": upstreams}
}

func newStackFmt() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use: "fmt [FOLDER]", Short: "Format stack files", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			return formatFolder(cmd, dir, check)
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "change nothing, and end with 1 where something would change")
	return cmd
}

func formatFolder(cmd *cobra.Command, dir string, check bool) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*.stack.hcl"))
	if err != nil {
		return err
	}
	if p := filepath.Join(dir, "stack.hcl"); fileExists(p) {
		paths = append(paths, p)
	}
	if len(paths) == 0 {
		return misuse("%s has no stack.hcl and no *.stack.hcl", dir)
	}
	stale := []string{}
	for _, path := range paths {
		changed, err := formatFile(path, check)
		if err != nil {
			return err
		}
		if changed {
			stale = append(stale, path)
		}
	}
	err = show(cmd, stale, func(w io.Writer) error {
		for _, path := range stale {
			fmt.Fprintln(w, path)
		}
		return nil
	})
	if err == nil && check && len(stale) > 0 {
		err = &exitError{code: exitFailed}
	}
	return err
}

func formatFile(path string, check bool) (changed bool, err error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	out := blueprint.Format(src)
	if string(out) == string(src) {
		return false, nil
	}
	if check {
		return true, nil
	}
	return true, os.WriteFile(path, out, 0o644)
}

func fileExists(path string) bool { _, err := os.Stat(path); return err == nil }

func newStackList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List stacks", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			stacks, err := client.All(cmd.Context(), c.Stacks)
			if err != nil {
				return err
			}
			var rows [][]string
			for _, s := range stacks {
				rows = append(rows, []string{s.Name, revisionText(s.Latest), revisionText(s.Applied), strconv.Itoa(s.OpenFindings), since(s.UpdatedAt), s.Description})
			}
			return show(cmd, stacks, table("NAME LATEST APPLIED DRIFT UPDATED DESCRIPTION", rows))
		},
	}
}

// revisionText shows a revision's number, or a dash where there is none.
func revisionText(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

func newStackDelete() *cobra.Command {
	return &cobra.Command{
		Use: "delete STACK", Short: "Delete a stack of which nothing is left", Args: exactly(1, "cloudops stack delete payments"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			if err := c.DeleteStack(cmd.Context(), args[0]); err != nil {
				return err
			}
			return told(cmd, map[string]any{"stack": args[0], "deleted": true}, "stack %s is deleted", args[0])
		},
	}
}
