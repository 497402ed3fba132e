output "network_id" {
  description = "Identifier of the network."
  value       = google_compute_network.this.id
}

output "cidr" {
  description = "Address block that the subnets are cut from."
  value       = var.cidr
}

output "zones" {
  description = "Names of the zones in use."
  value       = local.zones
}

output "public_subnet_ids" {
  description = "Identifiers of the public subnets."
  value       = google_compute_subnetwork.public[*].id
}

output "private_subnet_ids" {
  description = "Identifiers of the private subnets."
  value       = google_compute_subnetwork.private[*].id
}

output "security_group_id" {
  description = "Network tag that the rules of ingress hold for."
  value       = one(google_compute_firewall.closed.target_tags)
}
