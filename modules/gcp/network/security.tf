locals {
  ingress = {
    for r in flatten([for r in var.ingress : [for c in r.cidrs : merge(r, { cidr = c })]]) :
    "${r.protocol}-${r.port}-${r.cidr}" => r
  }
}

resource "google_compute_firewall" "ingress" {
  for_each = local.ingress

  name          = "${var.name}-${each.value.protocol}-${each.value.port}-${substr(sha256(each.key), 0, 6)}"
  description   = each.value.description
  network       = google_compute_network.this.id
  direction     = "INGRESS"
  source_ranges = [each.value.cidr]
  target_tags   = [var.name]

  allow {
    protocol = each.value.protocol
    ports    = [each.value.port]
  }
}

# Google refuses what no rule allows; said here, it is also on record.
resource "google_compute_firewall" "closed" {
  name          = "${var.name}-closed"
  description   = "Nothing else comes in to ${var.name}"
  network       = google_compute_network.this.id
  direction     = "INGRESS"
  priority      = 65534
  source_ranges = ["0.0.0.0/0"]
  target_tags   = [var.name]

  deny {
    protocol = "all"
  }

  log_config {
    metadata = "EXCLUDE_ALL_METADATA"
  }
}
