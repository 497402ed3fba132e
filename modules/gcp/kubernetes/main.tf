# A Kubernetes cluster whose nodes have no public address, run as an identity
# of their own, and whose API only the network reaches unless asked for.
# ISO 27001: A.5.15, A.8.5, A.8.15, A.8.20, A.8.22, A.8.24

data "google_client_config" "current" {}

data "google_compute_zones" "available" {
  status = "UP"
}

locals {
  sizes   = { small = "e2-medium", medium = "e2-standard-2", large = "e2-standard-4", xlarge = "e2-standard-8" }
  most    = coalesce(var.node_count_max, var.node_count)
  private = length(var.public_endpoint_cidrs) == 0

  # A pool has as many nodes in each of its zones, to begin with.
  zones = slice(data.google_compute_zones.available.names, 0, min(var.node_count, length(data.google_compute_zones.available.names)))

  # Labels hold lowercase letters, digits, _ and - only, 63 at most.
  labels = {
    for name, text in var.tags : substr(replace(lower(name), "/[^a-z0-9_-]/", "-"), 0, 63) => substr(replace(lower(text), "/[^a-z0-9_-]/", "-"), 0, 63)
  }
}

resource "google_service_account" "nodes" {
  account_id   = "${trimsuffix(substr(var.name, 0, 20), "-")}-${substr(sha256("kubernetes/${var.name}"), 0, 6)}"
  display_name = "Nodes of ${var.name}"
}

# What nodes need to write logs and measures and to fetch images.
resource "google_project_iam_member" "nodes" {
  for_each = toset(["roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader"])

  project = data.google_client_config.current.project
  role    = each.value
  member  = google_service_account.nodes.member
}

resource "google_container_cluster" "this" {
  name                     = var.name
  location                 = data.google_client_config.current.region
  network                  = var.network_id
  subnetwork               = var.subnet_ids[0]
  min_master_version       = var.kubernetes_version
  remove_default_node_pool = true
  initial_node_count       = 1
  enable_shielded_nodes    = true
  datapath_provider        = "ADVANCED_DATAPATH"
  deletion_protection      = var.deletion_protection
  resource_labels          = local.labels

  # Which GKE takes blocks for of its own.
  ip_allocation_policy {}

  # The pool that is removed at once.
  node_config {
    service_account = google_service_account.nodes.email

    shielded_instance_config {
      enable_secure_boot = true
    }
  }

  private_cluster_config {
    enable_private_nodes    = true
    enable_private_endpoint = local.private
  }

  master_authorized_networks_config {
    dynamic "cidr_blocks" {
      for_each = toset(var.public_endpoint_cidrs)

      content {
        cidr_block = cidr_blocks.value
      }
    }
  }

  master_auth {
    client_certificate_config {
      issue_client_certificate = false
    }
  }

  release_channel {
    channel = "REGULAR"
  }

  workload_identity_config {
    workload_pool = "${data.google_client_config.current.project}.svc.id.goog"
  }

  dynamic "database_encryption" {
    for_each = var.encryption_key_id[*]

    content {
      state    = "ENCRYPTED"
      key_name = database_encryption.value
    }
  }

  lifecycle {
    ignore_changes = [node_config]

    precondition {
      condition     = local.most >= var.node_count
      error_message = "node_count_max is ${local.most}, which is below node_count, ${var.node_count}."
    }
  }
}

resource "google_container_node_pool" "this" {
  name     = "main"
  cluster  = google_container_cluster.this.id
  location = google_container_cluster.this.location

  node_locations     = local.zones
  initial_node_count = floor(var.node_count / length(local.zones))

  # Over all zones together.
  autoscaling {
    total_min_node_count = var.node_count
    total_max_node_count = local.most
    location_policy      = "BALANCED"
  }

  management {
    auto_repair  = true
    auto_upgrade = true
  }

  node_config {
    machine_type    = lookup(local.sizes, var.node_size, var.node_size)
    service_account = google_service_account.nodes.email
    oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]
    resource_labels = local.labels

    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }

    workload_metadata_config {
      mode = "GKE_METADATA"
    }
  }

  # How many there are from then on is for the autoscaler to say.
  lifecycle {
    ignore_changes = [initial_node_count]
  }

  depends_on = [google_project_iam_member.nodes]
}
