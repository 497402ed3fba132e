output "network_id" {
  description = "Identifier of the network (VPC)."
  value       = aws_vpc.this.id
}

output "cidr" {
  description = "Address block of the network."
  value       = aws_vpc.this.cidr_block
}

output "zones" {
  description = "Names of the zones in use."
  value       = local.zones
}

output "public_subnet_ids" {
  description = "Identifiers of the public subnets."
  value       = aws_subnet.public[*].id
}

output "private_subnet_ids" {
  description = "Identifiers of the private subnets."
  value       = aws_subnet.private[*].id
}

output "security_group_id" {
  description = "Identifier of the security group with the rules of ingress."
  value       = aws_security_group.this.id
}
