# A network with public and private subnets, and firewall rules for what runs
# in it and bears the tag that is its security group. Nothing comes in but what
# ingress names.
# ISO 27001: A.8.20, A.8.21, A.8.22

data "google_compute_zones" "available" {
  status = "UP"
}

locals {
  # The address block is cut into sixteen: the first half for public subnets,
  # the second for private ones, so that adding a zone moves nobody.
  public  = var.public_subnets != null ? var.public_subnets : [for i in range(var.zones) : cidrsubnet(var.cidr, 4, i)]
  private = var.private_subnets != null ? var.private_subnets : [for i in range(var.zones) : cidrsubnet(var.cidr, 4, 8 + i)]

  zones = slice(data.google_compute_zones.available.names, 0, min(var.zones, length(data.google_compute_zones.available.names)))
}

resource "google_compute_network" "this" {
  name                    = var.name
  auto_create_subnetworks = false

  lifecycle {
    precondition {
      condition     = length(local.zones) == var.zones
      error_message = "zones is ${var.zones}, but the region has only ${length(local.zones)}."
    }
  }
}

resource "google_compute_subnetwork" "public" {
  count = length(local.public)

  name                     = "${var.name}-public-${count.index + 1}"
  network                  = google_compute_network.this.id
  ip_cidr_range            = local.public[count.index]
  private_ip_google_access = true
}

resource "google_compute_subnetwork" "private" {
  count = length(local.private)

  name                     = "${var.name}-private-${count.index + 1}"
  network                  = google_compute_network.this.id
  ip_cidr_range            = local.private[count.index]
  private_ip_google_access = true
}

resource "google_compute_router" "egress" {
  count = var.private_egress ? 1 : 0

  name    = "${var.name}-egress"
  network = google_compute_network.this.id
}

resource "google_compute_router_nat" "egress" {
  count = var.private_egress ? 1 : 0

  name                               = "${var.name}-egress"
  router                             = google_compute_router.egress[0].name
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "LIST_OF_SUBNETWORKS"

  dynamic "subnetwork" {
    for_each = google_compute_subnetwork.private

    content {
      name                    = subnetwork.value.id
      source_ip_ranges_to_nat = ["ALL_IP_RANGES"]
    }
  }

  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}
