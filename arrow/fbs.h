/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to arrow/. The numbers of Arrow's Message.fbs, Schema.fbs and File.fbs: slots of tables, members of unions,
 * values of enums. docs/formats/arrow-ipc.md shows them with their types and defaults.
 */
#ifndef DRY_ARROW_FBS_H
#define DRY_ARROW_FBS_H

enum fbs_message {
    FBS_MESSAGE_VERSION,
    FBS_MESSAGE_HEADER_KIND,
    FBS_MESSAGE_HEADER,
    FBS_MESSAGE_BODY_LENGTH,
    FBS_MESSAGE_METADATA
};
enum fbs_header { FBS_HEADER_NONE, FBS_HEADER_SCHEMA, FBS_HEADER_DICTIONARY, FBS_HEADER_BATCH };
enum fbs_version { FBS_V4 = 3, FBS_V5 = 4 };

enum fbs_schema { FBS_SCHEMA_ENDIANNESS, FBS_SCHEMA_FIELDS, FBS_SCHEMA_METADATA };
enum fbs_endianness { FBS_LITTLE };

enum fbs_field {
    FBS_FIELD_NAME,
    FBS_FIELD_NULLABLE,
    FBS_FIELD_TYPE_KIND,
    FBS_FIELD_TYPE,
    FBS_FIELD_DICTIONARY,
    FBS_FIELD_CHILDREN,
    FBS_FIELD_METADATA
};
enum fbs_key_value { FBS_KEY_VALUE_KEY, FBS_KEY_VALUE_VALUE };
enum fbs_encoding { FBS_ENCODING_ID, FBS_ENCODING_INDEX_TYPE, FBS_ENCODING_ORDERED, FBS_ENCODING_KIND };
enum fbs_encoding_kind { FBS_DENSE_ARRAY };

enum fbs_type {
    FBS_TYPE_NONE,
    FBS_TYPE_NULL,
    FBS_TYPE_INT,
    FBS_TYPE_FLOAT,
    FBS_TYPE_BINARY,
    FBS_TYPE_UTF8,
    FBS_TYPE_BOOL,
    FBS_TYPE_DECIMAL,
    FBS_TYPE_DATE,
    FBS_TYPE_TIME,
    FBS_TYPE_TIMESTAMP,
    FBS_TYPE_INTERVAL,
    FBS_TYPE_LIST,
    FBS_TYPE_STRUCT,
    FBS_TYPE_UNION,
    FBS_TYPE_FIXED_BINARY,
    FBS_TYPE_FIXED_LIST,
    FBS_TYPE_MAP,
    FBS_TYPE_DURATION,
    FBS_TYPE_LARGE_BINARY,
    FBS_TYPE_LARGE_UTF8,
    FBS_TYPE_LARGE_LIST,
    FBS_TYPE_RUN_END_ENCODED,
    FBS_TYPE_BINARY_VIEW,
    FBS_TYPE_UTF8_VIEW,
    FBS_TYPE_LIST_VIEW,
    FBS_TYPE_LARGE_LIST_VIEW
};

enum fbs_int { FBS_INT_BITS, FBS_INT_SIGNED };
enum fbs_float { FBS_FLOAT_PRECISION };
enum fbs_precision { FBS_HALF, FBS_SINGLE, FBS_DOUBLE };
enum fbs_decimal { FBS_DECIMAL_PRECISION, FBS_DECIMAL_SCALE, FBS_DECIMAL_BITS };
enum fbs_date { FBS_DATE_UNIT };
enum fbs_date_unit { FBS_DATE_DAY, FBS_DATE_MILLISECOND };
/* TimeUnit has the numbers of enum dry_unit. */
enum fbs_time { FBS_TIME_UNIT, FBS_TIME_BITS };
enum fbs_timestamp { FBS_TIMESTAMP_UNIT, FBS_TIMESTAMP_TIMEZONE };
enum fbs_duration { FBS_DURATION_UNIT };
enum fbs_interval { FBS_INTERVAL_UNIT };
enum fbs_interval_unit { FBS_YEAR_MONTH, FBS_DAY_TIME, FBS_MONTH_DAY_NANO };
enum fbs_fixed_binary { FBS_FIXED_BINARY_WIDTH };
enum fbs_fixed_list { FBS_FIXED_LIST_SIZE };
enum fbs_map { FBS_MAP_KEYS_SORTED };
enum fbs_union { FBS_UNION_MODE };
enum fbs_union_mode { FBS_SPARSE, FBS_DENSE };

enum fbs_batch { FBS_BATCH_LENGTH, FBS_BATCH_NODES, FBS_BATCH_BUFFERS, FBS_BATCH_COMPRESSION, FBS_BATCH_VARIADIC };
enum fbs_compression { FBS_COMPRESSION_CODEC, FBS_COMPRESSION_METHOD };
enum fbs_codec { FBS_CODEC_LZ4, FBS_CODEC_ZSTD };
enum fbs_method { FBS_METHOD_BUFFER };
enum fbs_dictionary { FBS_DICTIONARY_ID, FBS_DICTIONARY_DATA, FBS_DICTIONARY_DELTA };

enum fbs_footer {
    FBS_FOOTER_VERSION,
    FBS_FOOTER_SCHEMA,
    FBS_FOOTER_DICTIONARIES,
    FBS_FOOTER_BATCHES,
    FBS_FOOTER_METADATA
};

#endif
