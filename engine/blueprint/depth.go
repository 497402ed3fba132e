package blueprint

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// The parser and the evaluator recurse for each bracket and each operator of a
// chain, and a stack overflow cannot be recovered from.
const (
	maxDepth = 250   // brackets within each other
	maxChain = 1_000 // operators in one expression
)

// tooDeep finds source text that would exhaust the parser.
func tooDeep(text []byte, name string) *hcl.Diagnostic {
	if len(text) < maxDepth {
		return nil
	}
	tokens, _ := hclsyntax.LexConfig(text, name, hcl.InitialPos)
	return deepest(tokens)
}

// deepest counts, for each open bracket, the operators since the last
// separator on its level.
func deepest(tokens hclsyntax.Tokens) *hcl.Diagnostic {
	open := []level{{newlines: true}}
	for _, t := range tokens {
		top := &open[len(open)-1]
		switch kindOf(t.Type) {
		case opens:
			top.chain++
			open = append(open, level{newlines: t.Type == hclsyntax.TokenOBrace})
		case closes:
			open = open[:max(1, len(open)-1)]
		case operates:
			top.chain++
		case separates:
			if t.Type == hclsyntax.TokenComma || top.newlines {
				top.chain = 0
			}
		}
		if len(open) > maxDepth || top.chain > maxChain {
			return mistake(t.Range, "Nested too deeply", "Expressions nest at most %d levels deep and chain at most %d operators. Give parts of this one names in a locals block.", maxDepth, maxChain)
		}
	}
	return nil
}

// level is one open bracket.
type level struct {
	chain    int
	newlines bool // a new line ends an expression here
}

type tokenKind int

const (
	plain tokenKind = iota
	opens
	closes
	operates
	separates
)

func kindOf(t hclsyntax.TokenType) tokenKind {
	switch t {
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc,
		hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		return opens
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc,
		hclsyntax.TokenTemplateSeqEnd:
		return closes
	case hclsyntax.TokenStar, hclsyntax.TokenSlash, hclsyntax.TokenPlus, hclsyntax.TokenMinus, hclsyntax.TokenPercent,
		hclsyntax.TokenEqualOp, hclsyntax.TokenNotEqual, hclsyntax.TokenLessThan, hclsyntax.TokenLessThanEq,
		hclsyntax.TokenGreaterThan, hclsyntax.TokenGreaterThanEq, hclsyntax.TokenAnd, hclsyntax.TokenOr,
		hclsyntax.TokenBang, hclsyntax.TokenQuestion, hclsyntax.TokenDot:
		return operates
	case hclsyntax.TokenNewline, hclsyntax.TokenComma:
		return separates
	default:
		return plain
	}
}
