//! Every write of the calendar: one subject, a row a year.

use super::model::CalendarYearRow;

crate::subject!(CalendarYearRow, calendar_years, stateless);
