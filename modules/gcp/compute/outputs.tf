output "hosts" {
  description = "The machines as an inventory takes them, each with the resource that made it. Their SSH host keys are made at first boot, where no module sees them, and are taken at first sight; a stack that knows them, as from an image or a console, gives them in its inventory: [for h in terraform.compute.outputs.hosts : merge(h, { host_keys = [\"ssh-ed25519 AAAA...\"] })]."
  value = [for i, m in google_compute_instance.this : {
    name     = m.name
    address  = var.public ? m.network_interface[0].access_config[0].nat_ip : m.network_interface[0].network_ip
    user     = local.user
    port     = 22
    resource = "google_compute_instance.this[${i}]"
  }]
}

output "instance_ids" {
  description = "Identifiers of the machines."
  value       = google_compute_instance.this[*].id
}

output "private_ips" {
  description = "Addresses of the machines inside the network."
  value       = [for m in google_compute_instance.this : m.network_interface[0].network_ip]
}

output "public_ips" {
  description = "Public addresses of the machines; empty where they have none."
  value       = [for m in google_compute_instance.this : m.network_interface[0].access_config[0].nat_ip if var.public]
}
