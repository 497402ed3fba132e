output "zone_id" {
  description = "Identifier of the zone."
  value       = one(concat(azurerm_dns_zone.this[*].id, azurerm_private_dns_zone.this[*].id))
}

output "name_servers" {
  description = "Servers that answer for the zone, for whoever registered the domain; none where it is private."
  value       = sort(flatten([for z in azurerm_dns_zone.this : tolist(z.name_servers)]))
}

output "records" {
  description = "Full names of the records by name and type, as in \"www A\" and \"@ MX\"."
  value       = local.full_names
}
