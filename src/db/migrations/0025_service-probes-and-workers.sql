CREATE TABLE "service_probes" (
	"service" text PRIMARY KEY NOT NULL,
	"next_probe_at" timestamp with time zone NOT NULL,
	"answering_since" timestamp with time zone,
	"last_success_at" timestamp with time zone,
	"last_failure_at" timestamp with time zone,
	"last_error" text,
	CONSTRAINT "service_probes_service" CHECK (service in ('email', 'payment', 'warehouse'))
);
--> statement-breakpoint
CREATE TABLE "workers" (
	"identity" text PRIMARY KEY NOT NULL,
	"host" text NOT NULL,
	"version" text NOT NULL,
	"queues" text[] NOT NULL,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_seen_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE INDEX "workers_last_seen" ON "workers" USING btree ("last_seen_at");