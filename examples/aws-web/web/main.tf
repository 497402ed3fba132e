# What is our own in the web tier: where its machines find their bucket, where
# they write their log, and the port they answer on.

resource "aws_ssm_parameter" "bucket" {
  name        = "/${var.name}/bucket"
  description = "Where the machines of ${var.name} find their pages"
  type        = "String"
  value       = var.bucket_name
}

resource "aws_cloudwatch_log_group" "access" {
  name              = "/${var.name}/access"
  retention_in_days = 30
}

resource "aws_vpc_security_group_ingress_rule" "http" {
  security_group_id = var.security_group_id
  description       = "HTTP inside the network"
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
  cidr_ipv4         = var.open_to
}
