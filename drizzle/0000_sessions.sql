CREATE TABLE "events" (
	"session_id" text NOT NULL,
	"seq" integer NOT NULL,
	"tenant_id" text NOT NULL,
	"type" text NOT NULL,
	"response_id" text,
	"token_index" integer,
	"body" json NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"xid" "xid8" DEFAULT pg_current_xact_id() NOT NULL,
	"position" bigint GENERATED ALWAYS AS IDENTITY (sequence name "events_position_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	CONSTRAINT "events_session_id_seq_pk" PRIMARY KEY("session_id","seq")
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"id" text PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"source" text NOT NULL,
	"state" text DEFAULT 'PENDING' NOT NULL,
	"options" json NOT NULL,
	"model" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	"duration_ms" bigint,
	"processed_ms" bigint DEFAULT 0 NOT NULL,
	"last_seq" integer DEFAULT 0 NOT NULL,
	"owner_node" text,
	"owner_until_ms" bigint,
	CONSTRAINT "sessions_state" CHECK ("sessions"."state" in ('PENDING', 'IN_PROGRESS', 'DONE', 'FAILED', 'SENT'))
);
--> statement-breakpoint
CREATE TABLE "stream_tokens" (
	"token_hash" text PRIMARY KEY NOT NULL,
	"session_id" text NOT NULL,
	"expires_at_ms" bigint NOT NULL
);
--> statement-breakpoint
ALTER TABLE "events" ADD CONSTRAINT "events_session_id_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "stream_tokens" ADD CONSTRAINT "stream_tokens_session_id_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "events_feed" ON "events" USING btree ("tenant_id","xid","position");--> statement-breakpoint
CREATE INDEX "events_answered" ON "events" USING btree ("session_id","response_id") WHERE "events"."type" = 'llm.done';--> statement-breakpoint
CREATE INDEX "sessions_newest" ON "sessions" USING btree ("tenant_id","created_at","id");--> statement-breakpoint
CREATE INDEX "sessions_newest_by_state" ON "sessions" USING btree ("tenant_id","state","created_at","id");--> statement-breakpoint
CREATE INDEX "sessions_finished" ON "sessions" USING btree ("finished_at");--> statement-breakpoint
CREATE INDEX "sessions_claimed" ON "sessions" USING btree ("owner_until_ms") WHERE "sessions"."state" in ('PENDING', 'IN_PROGRESS');--> statement-breakpoint
CREATE INDEX "stream_tokens_session" ON "stream_tokens" USING btree ("session_id");