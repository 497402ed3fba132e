package blueprint

import (
	"errors"
	"fmt"
	"math/big"
	"net/netip"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// networkFunctions calculate with address ranges the way Terraform does.
func networkFunctions() map[string]function.Function {
	prefix := function.Parameter{Name: "prefix", Type: cty.String}
	number := func(name string) function.Parameter { return function.Parameter{Name: name, Type: cty.Number} }
	return map[string]function.Function{
		"cidrhost": function.New(&function.Spec{
			Params: []function.Parameter{prefix, number("hostnum")}, Type: returns(cty.String), Impl: cidrhost,
		}),
		"cidrnetmask": function.New(&function.Spec{
			Params: []function.Parameter{prefix}, Type: returns(cty.String), Impl: cidrnetmask,
		}),
		"cidrsubnet": function.New(&function.Spec{
			Params: []function.Parameter{prefix, number("newbits"), number("netnum")}, Type: returns(cty.String), Impl: cidrsubnet,
		}),
		"cidrsubnets": function.New(&function.Spec{
			Params: []function.Parameter{prefix}, VarParam: &function.Parameter{Name: "newbits", Type: cty.Number},
			Type: returns(cty.List(cty.String)), Impl: cidrsubnets,
		}),
	}
}

func parsePrefix(v cty.Value) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(v.AsString())
	if err != nil {
		return p, errors.New(`the first argument is an address range such as "10.0.0.0/16"`)
	}
	return p.Masked(), nil
}

func wholeNumber(v cty.Value) (*big.Int, error) {
	n, exact := v.AsBigFloat().Int(nil)
	if exact != big.Exact || n == nil || n.BitLen() > 128 {
		return nil, errors.New("numbers of networks, hosts and bits are whole")
	}
	return n, nil
}

// offset adds n, shifted left, to the first address of p.
func offset(p netip.Prefix, n *big.Int, shift int) netip.Addr {
	sum := new(big.Int).SetBytes(p.Addr().AsSlice())
	sum.Add(sum, new(big.Int).Lsh(n, uint(shift)))
	raw := make([]byte, p.Addr().BitLen()/8)
	addr, _ := netip.AddrFromSlice(sum.FillBytes(raw)) // the slice has the length of an address
	return addr
}

func cidrhost(args []cty.Value, _ cty.Type) (cty.Value, error) {
	p, err := parsePrefix(args[0])
	if err != nil {
		return cty.NilVal, err
	}
	n, err := wholeNumber(args[1])
	if err != nil {
		return cty.NilVal, err
	}
	size := new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-p.Bits()))
	if n.Sign() < 0 { // counted from the end
		n = new(big.Int).Add(size, n)
	}
	if n.Sign() < 0 || n.Cmp(size) >= 0 {
		return cty.NilVal, fmt.Errorf("%s has no host of that number", p)
	}
	return cty.StringVal(offset(p, n, 0).String()), nil
}

func cidrnetmask(args []cty.Value, _ cty.Type) (cty.Value, error) {
	p, err := parsePrefix(args[0])
	if err != nil {
		return cty.NilVal, err
	}
	if !p.Addr().Is4() {
		return cty.NilVal, errors.New("only IPv4 ranges have a netmask")
	}
	mask := ^uint32(0) << (32 - p.Bits())
	return cty.StringVal(netip.AddrFrom4([4]byte{byte(mask >> 24), byte(mask >> 16), byte(mask >> 8), byte(mask)}).String()), nil // #nosec G115 -- each is eight bits of the mask
}

func cidrsubnet(args []cty.Value, _ cty.Type) (cty.Value, error) {
	p, err := parsePrefix(args[0])
	if err != nil {
		return cty.NilVal, err
	}
	bits, err := newBits(p, args[1])
	if err != nil {
		return cty.NilVal, err
	}
	n, err := wholeNumber(args[2])
	if err != nil {
		return cty.NilVal, err
	}
	if n.Sign() < 0 || n.BitLen() > bits {
		return cty.NilVal, fmt.Errorf("%d more bits do not give a network of number %s", bits, n)
	}
	return cty.StringVal(subnet(p, bits, n).String()), nil
}

func newBits(p netip.Prefix, v cty.Value) (int, error) {
	n, err := wholeNumber(v)
	if err != nil {
		return 0, err
	}
	if room := p.Addr().BitLen() - p.Bits(); n.Sign() < 0 || !n.IsInt64() || n.Int64() > int64(room) {
		return 0, fmt.Errorf("%s has room for 0 to %d more bits, not %s", p, room, n)
	}
	return int(n.Int64()), nil
}

func subnet(p netip.Prefix, bits int, n *big.Int) netip.Prefix {
	size := p.Bits() + bits
	return netip.PrefixFrom(offset(p, n, p.Addr().BitLen()-size), size)
}

// cidrsubnets lays ranges of several sizes out one after the other.
func cidrsubnets(args []cty.Value, _ cty.Type) (cty.Value, error) {
	p, err := parsePrefix(args[0])
	if err != nil {
		return cty.NilVal, err
	}
	next := new(big.Int) // first free address, from the start of the range
	end := new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-p.Bits()))
	list := []cty.Value{}
	for _, arg := range args[1:] {
		bits, err := newBits(p, arg)
		if err != nil {
			return cty.NilVal, err
		}
		size := uint(p.Addr().BitLen() - p.Bits() - bits)
		n := new(big.Int).Rsh(new(big.Int).Add(next, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), size), big.NewInt(1))), size)
		next = new(big.Int).Lsh(new(big.Int).Add(n, big.NewInt(1)), size)
		if next.Cmp(end) > 0 {
			return cty.NilVal, fmt.Errorf("%s has no room for all of these ranges", p)
		}
		list = append(list, cty.StringVal(subnet(p, bits, n).String()))
	}
	if len(list) == 0 {
		return cty.ListValEmpty(cty.String), nil
	}
	return cty.ListVal(list), nil
}
