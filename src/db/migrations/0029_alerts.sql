CREATE TABLE "alert_messages" (
	"alert_id" uuid NOT NULL,
	"serial" integer NOT NULL,
	"channel" text NOT NULL,
	"occasion" text NOT NULL,
	"content" jsonb NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_error" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"settled_at" timestamp with time zone,
	CONSTRAINT "alert_messages_alert_id_serial_channel_pk" PRIMARY KEY("alert_id","serial","channel"),
	CONSTRAINT "alert_messages_channel" CHECK (channel in ('email', 'webhook', 'slack')),
	CONSTRAINT "alert_messages_occasion" CHECK (occasion in ('opened', 'grown', 'digest', 'resolved')),
	CONSTRAINT "alert_messages_state" CHECK (state in ('pending', 'sent', 'given_up'))
);
--> statement-breakpoint
CREATE TABLE "alerts" (
	"id" uuid PRIMARY KEY NOT NULL,
	"subject" text NOT NULL,
	"since" timestamp with time zone NOT NULL,
	"opened_at" timestamp with time zone NOT NULL,
	"messages" integer DEFAULT 0 NOT NULL,
	"announced" integer DEFAULT 0 NOT NULL,
	"announced_at" timestamp with time zone,
	"peak" integer DEFAULT 0 NOT NULL,
	"content" jsonb,
	"quiet_since" timestamp with time zone,
	"resolved_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "alert_messages" ADD CONSTRAINT "alert_messages_alert_id_alerts_id_fk" FOREIGN KEY ("alert_id") REFERENCES "public"."alerts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "alert_messages_due" ON "alert_messages" USING btree ("next_attempt_at") WHERE state = 'pending';--> statement-breakpoint
CREATE INDEX "alert_messages_age" ON "alert_messages" USING btree ("settled_at");--> statement-breakpoint
CREATE UNIQUE INDEX "alerts_one_open" ON "alerts" USING btree ("subject") WHERE resolved_at is null;--> statement-breakpoint
CREATE INDEX "alerts_age" ON "alerts" USING btree ("resolved_at");