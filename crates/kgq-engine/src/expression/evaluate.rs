//! Evaluates compiled expressions, a column at a time.

use super::call::{Arguments, Function, call};
use super::column::{Column, Datum, ROWS_BETWEEN_CHECKS, Selection};
use super::compare;
use super::node::{ExpressionNode, Generator, Test};
use super::numbers::{self, Numbers};
use super::pattern::Reason;
use super::texts::Texts;
use super::value::{Number, Value};
use super::{BYTES_BETWEEN_CHECKS, Context, arithmetic, by_class, dates, text_test, texts};
use crate::plan::expression::OrderTest;
use crate::terms::Truth;
use kgq_snapshot::{TermId, TermKind};
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{BlankNode, NamedNode};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;

/// One evaluation of an expression. Until it ends, the text that it builds counts against the query's memory.
pub struct Evaluation<'c> {
    pub context: &'c Context<'c>,
    held: RefCell<Reservation>,
    unreserved: Cell<u64>,
    /// How many COALESCE are around the current expression: they replace values that fail, so failures are not counted.
    forgiving: Cell<u32>,
}

impl<'c> Evaluation<'c> {
    /// # Errors
    /// A limit of the query.
    pub fn new(context: &'c Context<'c>) -> Result<Self> {
        context.terms.budget().check()?;
        Ok(Self { context, held: RefCell::default(), unreserved: Cell::new(0), forgiving: Cell::new(0) })
    }

    /// Evaluates without counting failures.
    pub fn uncounted<T>(&self, evaluate: impl FnOnce() -> Result<T>) -> Result<T> {
        self.forgiving.set(self.forgiving.get() + 1);
        let evaluated = evaluate();
        self.forgiving.set(self.forgiving.get() - 1);
        evaluated
    }

    /// Counts additional bytes of text.
    ///
    /// # Errors
    /// A limit of the query.
    pub fn grow(&self, bytes: usize) -> Result<()> {
        let unreserved = self.unreserved.get() + bytes as u64;
        if unreserved < BYTES_BETWEEN_CHECKS as u64 {
            self.unreserved.set(unreserved);
            return Ok(());
        }
        let budget = self.context.terms.budget();
        budget.check()?;
        self.unreserved.set(0);
        self.held.borrow_mut().grow(budget, unreserved)
    }

    /// Counts the bytes of a value, and returns it.
    ///
    /// # Errors
    /// A limit of the query.
    pub fn counted(&self, datum: Option<Datum>) -> Result<Option<Datum>> {
        self.grow(datum.as_ref().map_or(0, Datum::bytes))?;
        Ok(datum)
    }

    /// Returns the value of every row. Computed values are not given ids.
    ///
    /// # Errors
    /// A limit of the query.
    pub fn data(&self, node: &ExpressionNode, rows: &Selection<'_>) -> Result<Vec<Option<Datum>>> {
        let column = self.column(node, rows)?;
        self.data_of(column)
    }

    /// Returns the values of a column.
    ///
    /// # Errors
    /// A limit of the query.
    pub fn data_of(&self, column: Column<'_>) -> Result<Vec<Option<Datum>>> {
        match column {
            Column::Data(data) => Ok(data),
            column => (0..column.len()).map(|row| self.counted(column.datum(row, self.context)?)).collect(),
        }
    }

    /// Returns the effective boolean value of an expression for each row.
    pub fn truths(&self, node: &ExpressionNode, rows: &Selection<'_>) -> Result<Vec<Truth>> {
        match node {
            ExpressionNode::And(parts) => self.connective(parts, rows, Truth::False),
            ExpressionNode::Or(parts) => self.connective(parts, rows, Truth::True),
            ExpressionNode::Not(inner) => Ok(self.truths(inner, rows)?.into_iter().map(Truth::negate).collect()),
            ExpressionNode::Bound(column) => {
                Ok(rows.column(*column).iter().map(|id| (*id != TermId::UNBOUND).into()).collect())
            }
            ExpressionNode::Equal(sides) => {
                let (a, b) = (self.column(&sides.0, rows)?, self.column(&sides.1, rows)?);
                if let Some(orders) = self.orders(&a, &b) {
                    return Ok(orders.into_iter().map(|order| (order == Some(Ordering::Equal)).into()).collect());
                }
                if let (Column::Ids(a), Column::Ids(b)) = (&a, &b) {
                    return Ok(self.context.terms.equal_columns(a, b));
                }
                Ok((0..rows.len()).map(|row| self.equals(&a, &b, row)).collect())
            }
            ExpressionNode::Order(test, sides) => {
                let (a, b) = (self.column(&sides.0, rows)?, self.column(&sides.1, rows)?);
                if let Some(orders) = self.orders(&a, &b) {
                    return Ok(orders.into_iter().map(|order| test.truth(Ok(order))).collect());
                }
                Ok((0..rows.len()).map(|row| self.order(*test, &a, &b, row)).collect())
            }
            ExpressionNode::InRanges(ranges, operand) => match self.column(operand, rows)? {
                Column::Ids(ids) => Ok(ids.iter().map(|id| ranges.truth(*id, self.context)).collect()),
                Column::Numbers(numbers) => Ok(ranges.truths_of_numbers(&numbers)),
                column => Ok((0..rows.len()).map(|row| ranges.truth_of_value(&column, row, self.context)).collect()),
            },
            ExpressionNode::SameTerm(sides) => {
                let a = self.column(&sides.0, rows)?.into_ids(self.context)?;
                let b = self.column(&sides.1, rows)?.into_ids(self.context)?;
                let same = |(a, b)| match (a, b) {
                    (TermId::UNBOUND, _) | (_, TermId::UNBOUND) => Truth::Error,
                    (a, b) => (a == b).into(),
                };
                Ok(a.into_iter().zip(b).map(same).collect())
            }
            ExpressionNode::In(operand, list) => {
                let operand = self.column(operand, rows)?;
                let mut truths = vec![Truth::False; rows.len()];
                for item in list {
                    let item = self.column(item, rows)?;
                    for (row, truth) in truths.iter_mut().enumerate().filter(|(_, truth)| **truth != Truth::True) {
                        *truth = truth.or(self.equals(&operand, &item, row));
                    }
                }
                Ok(truths)
            }
            ExpressionNode::TextTest(test, column) => test.truths(&rows.column(*column), self.context),
            ExpressionNode::ByClass(test, column) => test.truths(&rows.column(*column), self),
            ExpressionNode::Test(test, operand) => {
                let column = self.column(operand, rows)?;
                Ok((0..rows.len()).map(|row| self.test(*test, &column, row)).collect())
            }
            ExpressionNode::PerDistinct(distinct) if distinct.is_boolean() => distinct.truths(self, rows),
            ExpressionNode::Constant(_)
            | ExpressionNode::Error
            | ExpressionNode::Variable(_)
            | ExpressionNode::Arithmetic(_, _)
            | ExpressionNode::Plus(_)
            | ExpressionNode::Minus(_)
            | ExpressionNode::If(_)
            | ExpressionNode::Coalesce(_)
            | ExpressionNode::Call(_, _)
            | ExpressionNode::Generate(_, _)
            | ExpressionNode::PerDistinct(_) => Ok(self.column(node, rows)?.into_truths(self.context)),
        }
    }

    /// `&&` and `||`: each part is evaluated only for rows that the parts before it have not `decided`.
    fn connective(&self, parts: &[ExpressionNode], rows: &Selection<'_>, decided: Truth) -> Result<Vec<Truth>> {
        let combine = if decided == Truth::False { Truth::and } else { Truth::or };
        let mut truths = vec![decided.negate(); rows.len()];
        for part in parts {
            let open: Vec<u32> = (0..).zip(&truths).filter(|(_, truth)| **truth != decided).map(|(at, _)| at).collect();
            if open.is_empty() {
                break;
            }
            if open.len() == truths.len() {
                for (truth, next) in truths.iter_mut().zip(self.truths(part, rows)?) {
                    *truth = combine(*truth, next);
                }
                continue;
            }
            let selection = rows.narrow(&open);
            let next = self.truths(part, &rows.selected(&selection))?;
            for (at, next) in open.into_iter().zip(next) {
                let truth = &mut truths[at as usize];
                *truth = combine(*truth, next);
            }
        }
        Ok(truths)
    }

    /// Returns the value of an expression for each row.
    pub fn column<'b>(&self, node: &'b ExpressionNode, rows: &Selection<'b>) -> Result<Column<'b>> {
        let context = self.context;
        match node {
            ExpressionNode::Constant(constant) => Ok(Column::Same(constant.id, &constant.value, rows.len())),
            ExpressionNode::Error => Ok(Column::Errors(rows.len())),
            ExpressionNode::Variable(column) => Ok(Column::Ids(rows.column(*column))),
            ExpressionNode::Arithmetic(operation, sides) => {
                let (a, b) = (self.column(&sides.0, rows)?, self.column(&sides.1, rows)?);
                if let Some(numbers) = numbers::arithmetic(*operation, &a, &b, context) {
                    return Ok(Column::Numbers(numbers));
                }
                let apply = |row| {
                    let (a, b) = (a.value(row, context)?, b.value(row, context)?);
                    let value = arithmetic::apply(*operation, &a, &b);
                    if value.is_none() {
                        self.count(|| arithmetic::failure(*operation, &a, &b));
                    }
                    value.map(Datum::Value)
                };
                Ok(Column::Data((0..rows.len()).map(apply).collect()))
            }
            ExpressionNode::Plus(operand) => {
                let a = self.column(operand, rows)?;
                if let Some(numbers) = numbers::of_column(&a, context) {
                    return Ok(Column::Numbers(numbers));
                }
                let apply = |row| {
                    let a = a.value(row, context)?;
                    if !arithmetic::has_sign(&a) {
                        self.count(|| arithmetic::sign_failure(&a));
                        return None;
                    }
                    Some(Datum::Value(a.into_owned()))
                };
                Ok(Column::Data((0..rows.len()).map(apply).collect()))
            }
            ExpressionNode::Minus(operand) => {
                let a = self.column(operand, rows)?;
                if let Some(numbers) = numbers::of_column(&a, context).and_then(|all| numbers::minus(&all)) {
                    return Ok(Column::Numbers(numbers));
                }
                let apply = |row| {
                    let a = a.value(row, context)?;
                    let value = arithmetic::minus(&a);
                    if value.is_none() {
                        self.count(|| arithmetic::sign_failure(&a));
                    }
                    value.map(Datum::Value)
                };
                Ok(Column::Data((0..rows.len()).map(apply).collect()))
            }
            ExpressionNode::If(parts) => self.choose(parts, rows),
            ExpressionNode::Coalesce(parts) => self.coalesce(parts, rows),
            ExpressionNode::Call(function, arguments) => {
                if let (Function::StrLen, [argument]) = (function, arguments.as_slice())
                    && let Some(column) = argument.as_str_of_column()
                    && let ids = rows.column(column)
                    && ids.len() > 1
                    && let Some(lengths) = text_test::lengths(&ids, true, self)?
                {
                    return Ok(Column::Numbers(lengths));
                }
                let mut columns: Vec<Column<'_>> =
                    arguments.iter().map(|argument| self.column(argument, rows)).collect::<Result<_>>()?;
                if let [column] = columns.as_slice()
                    && let Some(numbers) = self.numbers(function, column)?
                {
                    return Ok(Column::Numbers(numbers));
                }
                if let ([Column::Ids(ids)], Function::Str) = (columns.as_slice(), function)
                    && ids.len() > 1
                {
                    return Ok(Column::Texts(Texts::of_terms(ids, self)?));
                }
                if let Some(column) = texts::apply(function, &columns, self)? {
                    return Ok(column);
                }
                if let Some(Column::Ids(ids)) = columns.first()
                    && ids.len() > 1
                    && function.reads_text()
                    && !matches!(function, Function::StrLen)
                {
                    columns[0] = Column::Data(text_test::strings(ids, self)?);
                }
                if let (Function::Lang | Function::LangDir | Function::Datatype, [Column::Ids(ids)]) =
                    (function, columns.as_slice())
                    && ids.len() > 1
                {
                    return by_class::type_function(function, ids, self);
                }
                let mut out = Vec::with_capacity(rows.len());
                for row in 0..rows.len() {
                    if row % ROWS_BETWEEN_CHECKS == ROWS_BETWEEN_CHECKS - 1 {
                        context.terms.budget().check()?;
                    }
                    let datum = call(
                        function,
                        &Arguments { columns: &columns, row, context, counts: self.forgiving.get() == 0 },
                    )?;
                    out.push(self.counted(datum)?);
                }
                Ok(Column::Data(out))
            }
            ExpressionNode::Generate(generator, argument) => self.generate(*generator, argument.as_deref(), rows),
            ExpressionNode::PerDistinct(distinct) if !distinct.is_boolean() => distinct.column(self, rows),
            ExpressionNode::Bound(_)
            | ExpressionNode::Or(_)
            | ExpressionNode::And(_)
            | ExpressionNode::Not(_)
            | ExpressionNode::Equal(_)
            | ExpressionNode::Order(_, _)
            | ExpressionNode::InRanges(_, _)
            | ExpressionNode::SameTerm(_)
            | ExpressionNode::In(_, _)
            | ExpressionNode::Test(_, _)
            | ExpressionNode::TextTest(_, _)
            | ExpressionNode::ByClass(_, _)
            | ExpressionNode::PerDistinct(_) => Ok(Column::Truths(self.truths(node, rows)?)),
        }
    }

    /// Evaluates a function of one column whose results are numbers of one type, if it is one.
    ///
    /// # Errors
    /// A limit of the query.
    pub fn numbers(&self, function: &Function, column: &Column<'_>) -> Result<Option<Numbers>> {
        let context = self.context;
        Ok(match (function, column) {
            (Function::Part(part), Column::Ids(ids)) if ids.len() > 1 => {
                dates::parts_of_days(*part, ids, context).map(Numbers::Integers)
            }
            (Function::Round(rounding), _) => {
                numbers::of_column(column, context).and_then(|numbers| numbers::round(*rounding, numbers))
            }
            (Function::Cast(target), _) if target.is_number() => {
                numbers::of_column(column, context).and_then(|numbers| numbers::cast(*target, &numbers))
            }
            (Function::CastOfStr(target), Column::Ids(ids)) if target.is_number() => {
                let zero = |row: usize| match self.call_one(function, ids[row]) {
                    Ok(Some(Datum::Value(Value::Number(Number::Double(zero))))) => Some(zero.into()),
                    _ => None,
                };
                numbers::of_column(column, context).and_then(|numbers| numbers::cast_of_text(*target, &numbers, zero))
            }
            (Function::StrLen, Column::Ids(ids)) if ids.len() > 1 => text_test::lengths(ids, false, self)?,
            _ => None,
        })
    }

    /// Compares the rows of two columns of numbers. Stored terms are compared by their ranks instead.
    fn orders(&self, a: &Column<'_>, b: &Column<'_>) -> Option<Vec<Option<Ordering>>> {
        if let (Column::Ids(a), Column::Ids(b)) = (a, b) {
            let terms = &self.context.terms;
            let is_stored = |ids: &[TermId]| ids.first().is_some_and(|id| terms.is_stored(*id));
            if is_stored(a) && is_stored(b) {
                return None;
            }
        }
        numbers::orders(a, b, self.context)
    }

    /// Counts a failure, unless the query says what to use instead.
    fn count(&self, reason: impl FnOnce() -> Reason) {
        if self.forgiving.get() == 0 {
            self.context.failures.count(&reason());
        }
    }

    fn choose<'b>(
        &self,
        parts: &'b (ExpressionNode, ExpressionNode, ExpressionNode),
        rows: &Selection<'b>,
    ) -> Result<Column<'b>> {
        let truths = self.truths(&parts.0, rows)?;
        let mut out = vec![None; rows.len()];
        for (wanted, node) in [(Truth::True, &parts.1), (Truth::False, &parts.2)] {
            let positions: Vec<u32> =
                (0..).zip(&truths).filter(|(_, truth)| **truth == wanted).map(|(at, _)| at).collect();
            self.fill(node, rows, &positions, &mut out)?;
        }
        Ok(Column::Data(out))
    }

    fn coalesce<'b>(&self, parts: &'b [ExpressionNode], rows: &Selection<'b>) -> Result<Column<'b>> {
        let mut out = vec![None; rows.len()];
        self.uncounted(|| {
            for node in parts {
                let positions: Vec<u32> =
                    (0..).zip(&out).filter(|(_, datum)| datum.is_none()).map(|(at, _)| at).collect();
                self.fill(node, rows, &positions, &mut out)?;
            }
            Ok(())
        })?;
        Ok(Column::Data(out))
    }

    /// Evaluates an expression for the rows at some positions, and stores its values there.
    fn fill(
        &self,
        node: &ExpressionNode,
        rows: &Selection<'_>,
        positions: &[u32],
        out: &mut [Option<Datum>],
    ) -> Result<()> {
        if positions.is_empty() {
            return Ok(());
        }
        let selection = rows.narrow(positions);
        let column = self.column(node, &rows.selected(&selection))?;
        for (row, at) in positions.iter().enumerate() {
            out[*at as usize] = self.counted(column.datum(row, self.context)?)?;
        }
        Ok(())
    }

    fn generate(
        &self,
        generator: Generator,
        argument: Option<&ExpressionNode>,
        rows: &Selection<'_>,
    ) -> Result<Column<'static>> {
        let random = &self.context.random;
        let labels = argument.map(|argument| self.column(argument, rows)).transpose()?;
        let one = |row| {
            Some(Datum::Value(match generator {
                Generator::Rand => Value::Number(Number::Double(random.unit().into())),
                Generator::Uuid => Value::Iri(NamedNode::new_unchecked(format!("urn:uuid:{}", random.uuid()))),
                Generator::StrUuid => Value::string(random.uuid()),
                Generator::BlankNode => Value::Blank(BlankNode::new_from_unique_id(match &labels {
                    None => random.label(),
                    Some(labels) => {
                        let label = labels.text(row, self.context).filter(|label| label.language.is_none())?;
                        random.label_for(rows.solution(row), &label.value)
                    }
                })),
            }))
        };
        Ok(Column::Data((0..rows.len()).map(one).collect()))
    }

    /// Calls a function of one term.
    pub fn call_one(&self, function: &Function, id: TermId) -> Result<Option<Datum>> {
        let columns = [Column::Ids(Cow::Owned(vec![id]))];
        let counts = self.forgiving.get() == 0;
        call(function, &Arguments { columns: &columns, row: 0, context: self.context, counts })
    }

    fn equals(&self, a: &Column<'_>, b: &Column<'_>, row: usize) -> Truth {
        if let (Column::Ids(a), Column::Ids(b)) = (a, b) {
            return self.context.terms.equals(a[row], b[row]);
        }
        match (a.value(row, self.context), b.value(row, self.context)) {
            (Some(a), Some(b)) => compare::equals(&a, &b).into(),
            (None, _) | (_, None) => Truth::Error,
        }
    }

    fn order(&self, test: OrderTest, a: &Column<'_>, b: &Column<'_>, row: usize) -> Truth {
        if let (Column::Ids(a), Column::Ids(b)) = (a, b) {
            return test.truth(self.context.terms.order(a[row], b[row]));
        }
        match (a.value(row, self.context), b.value(row, self.context)) {
            (Some(a), Some(b)) => test.truth(compare::order(&a, &b)),
            (None, _) | (_, None) => Truth::Error,
        }
    }

    fn test(&self, test: Test, column: &Column<'_>, row: usize) -> Truth {
        if let Column::Ids(ids) = column
            && let Some(kind) = test.kind()
        {
            return match ids[row] {
                TermId::UNBOUND => Truth::Error,
                id => (self.context.terms.kind(id) == kind).into(),
            };
        }
        let Some(value) = column.value(row, self.context) else { return Truth::Error };
        Truth::from(match (test, &*value) {
            (Test::IsIri, Value::Iri(_))
            | (Test::IsBlank, Value::Blank(_))
            | (Test::IsTriple, Value::Triple(_))
            | (Test::IsNumeric, Value::Number(_)) => true,
            (Test::IsLiteral, value) => !matches!(value, Value::Iri(_) | Value::Blank(_) | Value::Triple(_)),
            (Test::HasLang, Value::Text(text)) => text.language.is_some(),
            (Test::HasLangDir, Value::Text(text)) => {
                text.language.as_ref().is_some_and(|language| language.direction.is_some())
            }
            (Test::IsIri | Test::IsBlank | Test::IsTriple | Test::IsNumeric | Test::HasLang | Test::HasLangDir, _) => {
                false
            }
        })
    }
}

impl Test {
    /// Returns the kind of terms for which the test holds, if the kind alone decides.
    fn kind(self) -> Option<TermKind> {
        match self {
            Self::IsIri => Some(TermKind::Iri),
            Self::IsBlank => Some(TermKind::BlankNode),
            Self::IsLiteral => Some(TermKind::Literal),
            Self::IsTriple => Some(TermKind::Triple),
            Self::IsNumeric | Self::HasLang | Self::HasLangDir => None,
        }
    }
}

impl OrderTest {
    /// Whether the test holds for values in this order.
    pub fn truth(self, order: Result<Option<Ordering>, compare::TypeError>) -> Truth {
        match order {
            Err(compare::TypeError) => Truth::Error,
            Ok(None) => Truth::False,
            Ok(Some(order)) => self.holds(order).into(),
        }
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}
