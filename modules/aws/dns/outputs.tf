output "zone_id" {
  description = "Identifier of the zone."
  value       = aws_route53_zone.this.zone_id
}

output "name_servers" {
  description = "Servers that answer for the zone, for whoever registered the domain."
  value       = aws_route53_zone.this.name_servers
}

output "records" {
  description = "Full names of the records by name and type, as in \"www A\"."
  value       = { for key, r in aws_route53_record.this : key => r.fqdn }
}
