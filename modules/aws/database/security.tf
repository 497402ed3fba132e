resource "aws_security_group" "this" {
  name        = "${var.name}-database"
  description = "What may reach the database ${var.name}"
  vpc_id      = var.network_id
  tags        = merge(var.tags, { Name = "${var.name}-database" })
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = toset(var.allowed_cidrs)

  security_group_id = aws_security_group.this.id
  description       = "Clients of the database"
  ip_protocol       = "tcp"
  from_port         = local.engine.port
  to_port           = local.engine.port
  cidr_ipv4         = each.key
  tags              = merge(var.tags, { Name = each.key })
}
