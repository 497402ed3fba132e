# Virtual machines of one kind, spread over subnets and zones, and the
# inventory that configures them. Disks are encrypted and nothing has a public
# address unless asked for.
# ISO 27001: A.8.5, A.8.9, A.8.20, A.8.24

data "google_compute_zones" "available" {
  status = "UP"
}

locals {
  # Images by the names they have on every cloud.
  images = {
    "ubuntu-24.04" = { project = "ubuntu-os-cloud", family = "ubuntu-2404-lts-amd64", user = "ubuntu" }
    "debian-12"    = { project = "debian-cloud", family = "debian-12", user = "debian" }
  }
  sizes = { small = "e2-small", medium = "e2-medium", large = "e2-standard-2", xlarge = "e2-standard-4" }

  image = lookup(local.images, var.image, null)
  user  = coalesce(var.user, try(local.image.user, null), "ansible")
  zones = data.google_compute_zones.available.names

  # Labels hold lowercase letters, digits, _ and - only, 63 at most.
  labels = {
    for name, text in var.tags : substr(replace(lower(name), "/[^a-z0-9_-]/", "-"), 0, 63) => substr(replace(lower(text), "/[^a-z0-9_-]/", "-"), 0, 63)
  }
}

data "google_compute_image" "this" {
  count = local.image == null ? 0 : 1

  project = local.image.project
  family  = local.image.family
}

# What a machine is born with. A newer build of the same image must not replace
# machines; asking for another image must.
resource "terraform_data" "birth" {
  input = { image = var.image }
}

# What the machines run as, without a right to anything.
resource "google_service_account" "this" {
  account_id   = "${trimsuffix(substr(var.name, 0, 20), "-")}-${substr(sha256("compute/${var.name}"), 0, 6)}"
  display_name = "Machines of ${var.name}"
}

resource "google_compute_instance" "this" {
  count = var.instance_count

  name         = "${var.name}-${count.index + 1}"
  machine_type = lookup(local.sizes, var.size, var.size)
  zone         = local.zones[count.index % length(local.zones)]
  tags         = var.security_group_ids
  labels       = local.labels

  metadata = merge(
    { block-project-ssh-keys = "true", enable-oslogin = "FALSE", serial-port-enable = "FALSE" },
    var.ssh_public_key == null ? {} : { ssh-keys = "${local.user}:${var.ssh_public_key}" },
  )
  allow_stopping_for_update = true

  boot_disk {
    initialize_params {
      image  = local.image == null ? var.image : data.google_compute_image.this[0].self_link
      size   = var.disk_gb
      type   = "pd-balanced"
      labels = local.labels
    }
  }

  network_interface {
    subnetwork = var.subnet_ids[count.index % length(var.subnet_ids)]

    dynamic "access_config" {
      for_each = var.public ? ["PREMIUM"] : []

      content {
        network_tier = access_config.value
      }
    }
  }

  service_account {
    email  = google_service_account.this.email
    scopes = ["cloud-platform"]
  }

  shielded_instance_config {
    enable_secure_boot          = true
    enable_vtpm                 = true
    enable_integrity_monitoring = true
  }

  lifecycle {
    ignore_changes       = [zone, boot_disk[0].initialize_params[0].image]
    replace_triggered_by = [terraform_data.birth]
  }
}
