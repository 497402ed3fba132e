output "zone_id" {
  description = "Identifier of the zone."
  value       = google_dns_managed_zone.this.id
}

output "name_servers" {
  description = "Servers that answer for the zone, for whoever registered the domain; none where it is private."
  value       = var.private ? [] : google_dns_managed_zone.this.name_servers
}

output "records" {
  description = "Full names of the records by name and type, as in \"www A\" and \"@ MX\"."
  value       = local.full_names
}
