mock_provider "google" {
  mock_resource "google_compute_address" {
    defaults = { address = "10.20.128.5" }
  }
  mock_data "google_client_config" {
    defaults = { project = "my-project", region = "europe-west1" }
  }
}

mock_provider "random" {}

variables {
  name       = "orders"
  network_id = "projects/my-project/global/networks/web"
  subnet_ids = ["projects/my-project/regions/europe-west1/subnetworks/web-private-1"]
}

run "serves_postgres_in_the_network_only" {
  assert {
    condition     = output.port == 5432 && startswith(output.url, "postgres://app:")
    error_message = "port is ${output.port}"
  }
  assert {
    condition     = !google_sql_database_instance.this.settings[0].ip_configuration[0].ipv4_enabled
    error_message = "the server is public"
  }
  assert {
    condition     = google_sql_database_instance.this.settings[0].ip_configuration[0].ssl_mode == "ENCRYPTED_ONLY"
    error_message = "the server can be reached in the clear"
  }
  assert {
    condition     = google_sql_database_instance.this.deletion_protection && google_sql_database_instance.this.database_version == "POSTGRES_16"
    error_message = "version is ${google_sql_database_instance.this.database_version}"
  }
}

run "serves_mysql" {
  variables {
    engine = "mysql"
  }

  assert {
    condition     = google_sql_database_instance.this.database_version == "MYSQL_8_0" && output.port == 3306
    error_message = "version is ${google_sql_database_instance.this.database_version}"
  }
}

run "refuses_backups_for_longer_than_all_clouds_keep_them" {
  command = plan

  variables {
    backup_days = 36
  }

  expect_failures = [var.backup_days]
}
