CREATE TABLE "book_checks" (
	"check_name" text NOT NULL,
	"scope" text NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"finished_at" timestamp with time zone DEFAULT now() NOT NULL,
	"compared" integer NOT NULL,
	"error" text,
	"checked_until" timestamp with time zone,
	CONSTRAINT "book_checks_check_name_scope_pk" PRIMARY KEY("check_name","scope")
);
--> statement-breakpoint
CREATE TABLE "differences" (
	"check_name" text NOT NULL,
	"subject" text NOT NULL,
	"what" text NOT NULL,
	"ours" text NOT NULL,
	"theirs" text NOT NULL,
	"fix" text,
	"order_id" uuid,
	"signup_id" uuid,
	"generation" integer,
	"first_seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	"failure_id" uuid,
	CONSTRAINT "differences_check_name_subject_pk" PRIMARY KEY("check_name","subject")
);
--> statement-breakpoint
ALTER TABLE "failures" DROP CONSTRAINT "failures_kind";--> statement-breakpoint
ALTER TABLE "differences" ADD CONSTRAINT "differences_failure_id_failures_id_fk" FOREIGN KEY ("failure_id") REFERENCES "public"."failures"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "differences_failure" ON "differences" USING btree ("failure_id");--> statement-breakpoint
CREATE INDEX "signups_updated" ON "signups" USING btree ("updated_at");--> statement-breakpoint
ALTER TABLE "failures" ADD CONSTRAINT "failures_kind" CHECK (kind in ('step', 'compensation', 'email', 'command', 'run', 'late_shipment', 'discrepancy'));