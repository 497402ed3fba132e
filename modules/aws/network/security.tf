# The group that comes with every VPC lets its members talk to each other.
# Taken over without rules, it lets through nothing.
resource "aws_default_security_group" "closed" {
  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = "${var.name}-default-closed" })
}

resource "aws_security_group" "this" {
  name        = var.name
  description = "What may reach ${var.name}"
  vpc_id      = aws_vpc.this.id
  tags        = local.tags
}

locals {
  ingress = {
    for r in flatten([for r in var.ingress : [for c in r.cidrs : merge(r, { cidr = c })]]) :
    "${r.protocol}-${r.port}-${r.cidr}" => r
  }
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = local.ingress

  security_group_id = aws_security_group.this.id
  description       = each.value.description
  ip_protocol       = each.value.protocol
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.cidr
  tags              = merge(var.tags, { Name = each.key })
}

resource "aws_vpc_security_group_egress_rule" "all" {
  security_group_id = aws_security_group.this.id
  description       = "Everything may go out"
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
  tags              = merge(var.tags, { Name = "all-out" })
}
