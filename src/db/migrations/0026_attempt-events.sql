CREATE TABLE "attempt_events" (
	"order_id" uuid NOT NULL,
	"generation" integer NOT NULL,
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "attempt_events_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"step" text NOT NULL,
	"kind" text NOT NULL,
	"email_key" text,
	"attempt" integer NOT NULL,
	"type" text NOT NULL,
	"worker" text NOT NULL,
	"duration_ms" integer,
	"error_type" text,
	"error_message" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "attempt_events_order_id_id_pk" PRIMARY KEY("order_id","id"),
	CONSTRAINT "attempt_events_kind" CHECK (kind in ('step', 'compensation', 'email')),
	CONSTRAINT "attempt_events_type" CHECK (type in ('started', 'failed', 'refused', 'cancelled', 'exhausted', 'done', 'undone', 'settled'))
);
--> statement-breakpoint
CREATE FUNCTION "refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION '"%" is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;--> statement-breakpoint
CREATE TRIGGER "attempt_events_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "attempt_events"
FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
